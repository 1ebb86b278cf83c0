"""Whether the steps of a method teach the labels."""

import copy
from typing import Any

import torch
from torch import Tensor

from lt_lightning.methods import LongTailModule
from lt_lightning.testing.expect import that
from lt_lightning.testing.method_runs import Runs

_ROUNDS = 30  # over the batches of a stage
_RATE = 0.01
# Of the way from the share of the largest class to all images: what is asked for at the end, and
# what is enough before it. Wrong labels too are right of many images, for a few rounds.
_ASKED, _ENOUGH = 0.5, 0.75


def labels_are_learned(runs: Runs) -> None:
    """After some steps of each stage more training images are right than chance makes.

    The steps are those of a plain optimizer, so that a small learning rate is no fault. Not asked
    of a method without labels, nor of a stage on features that were computed before.
    """
    data = runs.data()
    data.setup("fit")
    module = runs.module(data)
    if module.self_supervised:
        return
    images = list(data.eval_loader("train"))
    chance = float(data.class_counts.max() / data.class_counts.sum())
    for number, epochs in _stages(module, runs.epochs).items():
        optimizer, found = None, 0.0
        if module.stage_at(epochs[0]).features:
            continue
        for _ in range(_ROUNDS):
            for epoch in epochs:
                module.set_epoch(epoch, runs.epochs)
                optimizer = optimizer or _optimizer(module)
                _train(module, optimizer, runs.whole.watch.batches[epoch])
            found = _right(module, images)
            if found >= chance + _ENOUGH * (1 - chance):
                break
        that(
            found >= chance + _ASKED * (1 - chance),
            f"after {_ROUNDS} rounds of stage {number} on the same batches {found:.2f} of the "
            f"training images are right, the largest class alone is {chance:.2f}: let the loss be "
            "small where predict_logits are right",
        )


def _stages(module: LongTailModule, epochs: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for epoch in range(epochs):
        found.setdefault(module.stage_at(epoch).number, []).append(epoch)
    return found


def _optimizer(module: LongTailModule) -> torch.optim.Optimizer:
    """Return a plain one of what is trained in this stage."""
    groups = module.configure_optimizers()["optimizer"].param_groups
    return torch.optim.Adam([p for group in groups for p in group["params"]], lr=_RATE)


def _train(module: LongTailModule, optimizer: torch.optim.Optimizer, batches: list[Any]) -> None:
    module.train()
    for index, batch in enumerate(batches):
        result = module.training_step(copy.deepcopy(batch), index)
        loss = result["loss"] if isinstance(result, dict) else result
        optimizer.zero_grad()
        loss.backward()
        module.on_before_optimizer_step(optimizer)
        optimizer.step()


def _right(module: LongTailModule, images: list[tuple[Tensor, Tensor]]) -> float:
    """Return the share of images whose class is predicted."""
    module.eval()
    with torch.no_grad():
        hits = [module.predict_logits(x).argmax(1) == y for x, y in images]
    return float(torch.cat(hits).float().mean())
