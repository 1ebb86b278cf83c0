"""Memory of one step of Hybrid-SC beside Hybrid-PSC: ResNet-32, forward and backward.

Each runs in a process of its own, in float32 on the CPU. The figure is how far the resident memory
of the process rises in the step; the one to quote is the ratio.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys

import torch

from lt_lightning.engine.branches import branch_features
from lt_lightning.losses import PrototypicalContrastive, SupervisedContrastive
from lt_lightning.methods import HybridContrastive

CLASSES = 10
LOSSES = {"SC": (SupervisedContrastive, 2), "PSC": (PrototypicalContrastive, 1)}  # with views
MIB = 2**20


def peak() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def step(name: str, batch: int) -> int:
    """Return the bytes by which one step raises the largest resident memory."""
    kind, views = LOSSES[name]
    torch.manual_seed(0)
    module = HybridContrastive(class_counts=[batch] * CLASSES, feature_loss=kind)
    targets = torch.arange(batch) % CLASSES
    contrasted, classified = torch.randn(views * batch, 3, 32, 32), torch.randn(batch, 3, 32, 32)
    before = peak()
    features, others = branch_features(module, contrasted, classified, joint_pass=True)
    term = module.feature_loss(module.projection(features), targets.repeat(views))
    (term.loss + module.loss(module.head(others), targets)).backward()
    return peak() - before


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=512, help="images of a stream in a step")
    parser.add_argument("--only", choices=LOSSES, help="measure one in this process")
    options = parser.parse_args()
    if options.only:
        sys.stdout.write(f"{step(options.only, options.batch)}\n")
        return
    found = {}
    for name in LOSSES:
        command = [sys.executable, __file__, "--only", name, "--batch", str(options.batch)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
        found[name] = int(done.stdout)
        sys.stdout.write(f"Hybrid-{name:<4} {found[name] / MIB:8.0f} MiB, batch {options.batch}\n")
    ratio = found["PSC"] / found["SC"]
    sys.stdout.write(f"Hybrid-PSC takes {ratio:.2f} x the memory of Hybrid-SC\n")


if __name__ == "__main__":
    main()
