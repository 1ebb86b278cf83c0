"""torchrun with nodes that come and go: the run goes on with those there are, as the same run."""

import os
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import lt_whole_norm
import pytest
import torch
from lt_runs import checkpoint, finish, kill_group, results, rows, run, start, tiny

pytestmark = [pytest.mark.distributed, pytest.mark.timeout(900)]
BEGIN = 12  # the step from which on both wait for what the test does
# Batch norm over the whole batch, in float64: then the number of processes changes sums alone.
SAME = ("--trainer.precision", "64-true", "--name", "run", "--version", "mine")
SLOW = ("--trainer.callbacks+=slow_steps.SlowSteps", f"--trainer.callbacks.begin=[{BEGIN}]")
OFTEN = ("--checkpoint.every_n_steps", "4")


class Nodes:
    """Nodes of one process each, on this machine; the first one is where they meet."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        quick = "last_call_timeout=2,keep_alive_interval=2,keep_alive_max_attempt=5"
        self.torchrun = (
            *("-m", "torch.distributed.run", "--nnodes", "1:2", "--nproc_per_node", "1"),
            *(
                "--rdzv-backend",
                "c10d",
                "--rdzv-endpoint",
                f"127.0.0.1:{self.port}",
                "--rdzv-id",
                "job",
            ),
            *("--rdzv-conf", quick, "--max-restarts", "6", lt_whole_norm.__file__),
        )
        many = ("--trainer.devices", "1", "--trainer.num_nodes", "2", "--trainer.strategy", "ddp")
        self.started = []
        self.folder, self.given = folder, tiny("mixup", *SAME, *OFTEN, *SLOW, *many)

    def start(self):
        # As docs/clusters.md says: else a node that comes back finds the addresses of the old ones.
        own = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
        self.started.append(start(self.given, self.folder, self.torchrun, **own))
        if len(self.started) == 1:
            self._wait(self._is_met, "meeting place")  # of two at once, either might hold it
        return self.started[-1]

    def _is_met(self):
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        """Leave nothing behind, also where the test failed: its pipes would fail a later one."""
        for node in self.started:
            kill_group(node)
            node.communicate()

    def wait(self, name):
        """Wait for a file, and take it away."""
        self._wait((self.folder / name).exists, name)
        (self.folder / name).unlink()

    def _wait(self, is_there, name):
        until = time.monotonic() + 240
        while not is_there():
            first = self.started[0]
            assert first.poll() is None, f"no {name}: {first.communicate()[1][-2000:]}"
            assert time.monotonic() < until, f"no {name}"
            time.sleep(0.1)


def lose(node):
    """Kill a node: torchrun and the process that it started, which has a group of its own."""
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    for member in (node.pid, *map(int, children)):
        os.kill(member, signal.SIGKILL)
    finish(node)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    answer = run(tiny("mixup", *SAME, *OFTEN, "--trainer.devices", "1"), folder)
    assert answer.status == 0, answer.err
    return folder / "runs" / "run" / "mine"


def test_a_node_is_lost_and_comes_back(tmp_path, whole):
    """Traps: the trainer waits for two nodes; what torchrun does not count as a crash began anew.

    One node is lost, the other one goes on; the first one comes back; the batch stays whole.
    """
    with closing(Nodes(tmp_path)) as nodes:
        lose_one_and_take_it_back(nodes, tmp_path, whole)


def lose_one_and_take_it_back(nodes, tmp_path, whole):
    stays, goes = nodes.start(), nodes.start()
    nodes.wait("reached-mine")
    lose(goes)
    nodes.wait("reached-mine")
    cut = checkpoint(tmp_path / "runs" / "run" / "mine")["global_step"]
    back = nodes.start()
    nodes.wait("reached-mine")
    (tmp_path / "hurry").touch()
    answers = [finish(node, 120) for node in (stays, back)]
    said = answers[0].err + answers[1].err
    assert [answer.status for answer in answers] == [0, 0], said
    assert "torchrun came with 1 of 2 nodes: 1 process for the whole batch" in said
    folder = tmp_path / "runs" / "run" / "mine"
    assert 0 < cut <= BEGIN
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]
    assert results(folder)["hardware"]["processes"] == 2
    found, wanted = checkpoint(folder), checkpoint(whole)
    assert found["global_step"] == wanted["global_step"]
    for name, value in wanted["state_dict"].items():
        assert torch.allclose(found["state_dict"][name], value, rtol=1e-9, atol=1e-9), name
    have, want = ([row.get("train/loss", 0.0) for row in rows(run)] for run in (folder, whole))
    assert have == pytest.approx(want, rel=1e-9)
