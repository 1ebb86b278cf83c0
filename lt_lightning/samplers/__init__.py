"""Samplers."""

import torch
from lt_lightning.samplers.base import SamplingRule, draw_by_class
from lt_lightning.samplers.epoch_sampler import EpochSampler


class InstanceBalanced(SamplingRule):
    """Every image once."""

    def draw(self, index, size, generator, epoch, max_epochs):
        return torch.randperm(len(index.order), generator=generator)[:size]


class Reversed(SamplingRule):
    """Reversed."""

    def draw(self, index, size, generator, epoch, max_epochs):
        return draw_by_class(index, 1.0 / index.counts, size, generator)


class ClassBalanced(SamplingRule):
    """Balanced."""

    def draw(self, index, size, generator, epoch, max_epochs):
        return draw_by_class(index, torch.ones_like(index.counts), size, generator)


__all__ = ["ClassBalanced", "EpochSampler", "InstanceBalanced", "Reversed", "SamplingRule"]
