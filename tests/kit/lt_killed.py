"""`lt`, which is killed or warned in a step given by the environment: run me in place of it.

DIE_IN_STEP      SIGKILL before the weights change in this step of the process, counted from 0
DIE_IN_SAVE      SIGKILL when half of this checkpoint is written, counted from 0
WARN_IN_STEP     SIGUSR1 in this step, as SLURM sends it; in the second process one step later
ONLY_RANK        only in the process of this rank
"""

import os
import signal
import sys


def wanted(name):
    rank = os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))
    again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
    if again or rank != os.environ.get("ONLY_RANK", rank):
        return None
    return int(os.environ[name]) if name in os.environ else None


def watch_steps():
    from lt_lightning.methods import LongTailModule

    log_train, seen = LongTailModule.log_train, []
    die, warn = wanted("DIE_IN_STEP"), wanted("WARN_IN_STEP")
    late = int(os.environ.get("SLURM_PROCID", "0"))

    def counted(module, *args, **terms):
        if len(seen) == die:
            os.kill(os.getpid(), signal.SIGKILL)
        if warn is not None and len(seen) == warn + late:
            os.kill(os.getpid(), signal.SIGUSR1)
        seen.append(None)
        return log_train(module, *args, **terms)

    LongTailModule.log_train = counted


def watch_saves():
    from lightning.fabric.plugins.io import torch_io

    save, seen, die = torch_io._atomic_save, [], wanted("DIE_IN_SAVE")

    def counted(checkpoint, path):
        save(checkpoint, path)
        if len(seen) == die:
            os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        seen.append(None)

    torch_io._atomic_save = counted


if __name__ == "__main__":
    watch_steps()
    watch_saves()
    from lt_lightning.cli import main

    sys.exit(main())
