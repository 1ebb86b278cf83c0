"""AutoAugment on a batch, with one sub-policy per image."""

from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor

from lt_lightning.augment.base import BatchTransform, check_colours, check_range
from lt_lightning.augment.operations import INDEX, apply_operations
from lt_lightning.augment.places import rand, randint
from lt_lightning.errors import UserError

Policy = Literal["cifar10", "imagenet", "svhn"]


class AutoAugment(BatchTransform):
    """AutoAugment: one of 25 learned pairs of operations per image.

    Each image draws a sub-policy uniformly; each of its two operations (p, level) is applied with
    probability p at the level's magnitude, and where the magnitude has a sign, the sign is drawn
    too. The tables are torchvision's; `cifar10` is also what papers use on CIFAR-100.

    Paper: Cubuk et al., AutoAugment: Learning Augmentation Strategies from Data, CVPR 2019, tables
    of the appendix.

    Args:
        policy: which learned table.
        fill: grey level, 0 to 255, of what shear, translation and rotation bring in; torchvision
            has 0, some CIFAR codes use 128.

    Raises:
        UserError: for another policy or a `fill` outside 0..255.
    """

    def __init__(self, policy: Policy = "cifar10", fill: int = 0) -> None:
        if policy not in get_args(Policy):
            raise UserError(f"policy is {policy}: use one of {', '.join(get_args(Policy))}.")
        check_range("fill", fill, 0, 255)
        self.policy: Policy = policy
        self.fill = fill

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return augmented images, uint8 (N, C, H, W)."""
        check_colours(images)
        n, device = len(images), images.device
        table = policy_table(self.policy).to(device, non_blocking=True)
        drawn = table[randint(len(table), n, generator=generator)]
        uniform = rand(n, 2, generator=generator)
        negative = rand(n, 2, generator=generator) < 0.5
        for stage in (0, 1):
            index, probability, level = drawn[:, stage].unbind(1)
            choice = torch.where(uniform[:, stage] < probability, index, INDEX["Identity"]).long()
            images = apply_operations(
                images, choice, level.long(), negative[:, stage], bins=10, fill=self.fill
            )
        return images


@cache
def policy_table(policy: Policy) -> Tensor:
    """Return float32 (25, 2, 3): index of the operation, probability, level."""
    from torchvision.transforms import AutoAugment as Reference
    from torchvision.transforms import AutoAugmentPolicy

    pairs = Reference(AutoAugmentPolicy(policy)).policies
    return torch.tensor(
        [[(INDEX[name], p, level or 0) for name, p, level in pair] for pair in pairs],
        dtype=torch.float32,
    )
