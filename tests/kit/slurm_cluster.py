"""A SLURM of its own: one controller and two nodes on this machine, which reach nothing else.

All of it, the jobs too, lives in one set of Linux namespaces: loopback only, its own hosts file
and process numbers. Where their first process ends, the kernel ends all the others.
"""

import ctypes
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from lt_runs import environment

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "unshare", "nsenter")
NODES, CPUS = ("n1", "n2"), 4  # of each node, whatever this machine has
GRACE = 60  # seconds from the warning of a preempted job to its end
_DIED = 1  # PR_SET_PDEATHSIG
HOSTS = "127.0.0.1 localhost head n1 n2\n::ffff:127.0.0.1 n1\n"
# Without an address outside of 127/8 the tools of SLURM resolve no name.
NETWORK = (
    "ip link set lo up && ip address add 10.99.0.1/32 dev lo && hostname head && "
    "mount --bind {hosts} /etc/hosts && exec sleep infinity"
)
CONFIG = """\
ClusterName=test
SlurmctldHost=head(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmctldParameters=preempt_send_user_signal
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=10
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
NodeName=n1 NodeHostname=head NodeAddr=127.0.0.1 Port=16821 CPUs={cpus}
NodeName=n2 NodeHostname=head NodeAddr=127.0.0.1 Port=16822 CPUs={cpus}
PartitionName=low Nodes=n1,n2 Default=YES PriorityTier=1 GraceTime={grace}
PartitionName=abrupt Nodes=n1,n2 PriorityTier=1 GraceTime=0
PartitionName=high Nodes=n1,n2 PriorityTier=10 PreemptMode=OFF
"""


def missing():
    """Return why no cluster can be started here, in one sentence, or none."""
    if os.geteuid() != 0:
        return "The daemons of SLURM are started by root: run make test-slurm as root."
    absent = [name for name in (*PROGRAMS, "ip") if shutil.which(name) is None]
    return f"{absent[0]} is not installed: apt-get install slurm-wlm munge." if absent else None


def until(condition, seconds, what):
    """Wait for a condition that becomes true, and return its value.

    Raises:
        AssertionError: with what `what` returns, when the time is over.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what()}")
        time.sleep(0.25)
    return found


class Cluster:
    """Two nodes of four CPUs; high preempts low after a warning, and abrupt without one.

    Args:
        folder: an empty one, for configuration, state and logs.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._first = None  # the process number of the first process, outside
        self._daemons = []

    def __enter__(self):
        """Start everything, or leave nothing behind."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        """End everything."""
        self.stop()

    def _start(self):
        (self.folder / "state").mkdir(parents=True)
        for node in NODES:
            (self.folder / f"spool-{node}").mkdir()
        (self.folder / "hosts").write_text(HOSTS)
        config = CONFIG.format(folder=self.folder, cpus=CPUS, grace=GRACE)
        (self.folder / "slurm.conf").write_text(config)
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        self._open()
        munge = {"key-file": key, "socket": self.folder / "munge.socket"}
        munge |= {f"{name}-file": self.folder / f"munge.{name}" for name in ("pid", "log", "seed")}
        options = [f"--{name}={value}" for name, value in munge.items()]
        self.start(["munged", "--foreground", "--force", *options], "munged")
        until(munge["socket"].exists, 60, lambda: self.log("munged"))
        self.start(["slurmctld", "-D"], "slurmctld")
        for node in NODES:
            self.start(["slurmd", "-D", "-N", node], node)
        until(self._is_up, 120, lambda: self.log("slurmctld"))

    def _open(self):
        """Make the namespaces; their first process dies with this one."""
        die = ctypes.CDLL(None).prctl  # looked up before the fork
        words = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"]
        network = NETWORK.format(hosts=self.folder / "hosts")
        with (self.folder / "namespaces.log").open("w") as log:
            self._outer = subprocess.Popen(
                ["unshare", *words, "--kill-child=KILL", "sh", "-c", network],
                preexec_fn=lambda: die(_DIED, signal.SIGKILL),
                stderr=log,
            )
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        self._first = until(children.read_text, 60, lambda: self.log("namespaces")).strip()
        name = Path(f"/proc/{self._first}/comm")
        until(lambda: name.read_text() == "sleep\n", 60, lambda: self.log("namespaces"))

    def _is_up(self):
        done = self.call(["sinfo", "--noheader", "--Node", "--format=%N %T", "--partition=low"])
        return done.stdout.split() == ["n1", "idle", "n2", "idle"]

    def stop(self):
        """Kill the first process of the namespaces, and with it all others."""
        if self._first is not None:
            os.kill(int(self._first), signal.SIGKILL)
            self._first = None
            for process in (self._outer, *self._daemons):
                process.wait(60)

    def _inside(self, words, folder):
        enter = ["--net", "--mount", "--uts", "--ipc", "--pid", "--target", self._first]
        return ["nsenter", *enter, "--", "env", f"--chdir={folder or self.folder}", *words]

    def environment(self, **changes):
        """Return the environment of a user of the cluster."""
        return environment(SLURM_CONF=str(self.folder / "slurm.conf"), **changes)

    def start(self, words, name):
        """Start a program that stays; what it says is in the log of that name."""
        with (self.folder / f"{name}.log").open("w") as log:
            inside, environment = self._inside(words, None), self.environment()
            self._daemons.append(
                subprocess.Popen(
                    inside, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            )

    def call(self, words, folder=None, timeout=120, **changes):
        """Run a command on the head node to its end."""
        return subprocess.run(
            self._inside([str(word) for word in words], folder),
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def log(self, name):
        """Return the last lines of a log."""
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace")[-3000:] if file.exists() else f"no log of {name}"

    def version(self):
        """Return the version of SLURM."""
        return self.call(["sinfo", "--version"]).stdout.split()[-1]

    def show(self, job):
        """Return what the controller knows of a job, or of a task of an array."""
        words = self.call(["scontrol", "--oneliner", "show", "job", job]).stdout
        return dict(re.findall(r"(\w+)=(\S*)", words))

    def restart_now(self, job, *changes):
        """Start a job that was requeued at once, where SLURM lets it wait for two minutes.

        Nothing is done where it has started meanwhile.
        """
        self.call(["scontrol", "update", f"JobId={job}", "StartTime=now", *changes])
