"""Mixup of the features of one layer."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lt_lightning.augment.base import check_positive
from lt_lightning.augment.mixing import (
    Mixed,
    Mixing,
    Share,
    blend,
    check_pairs,
    partners_of,
    share_of,
)
from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts


@contextmanager
def mix_at(
    module: nn.Module,
    permutation: Tensor,
    lam: Tensor,
    whole: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[None]:
    """Mix the output of `module` in the one forward pass that runs in this context.

    The output h (N, ...) becomes lam h + (1 - lam) h[permutation]. A part of a compiled network
    does not see a hook that comes later: this is stopped with an error.

    Args:
        module: any part of a network, or the network itself.
        permutation: int64 (N,).
        lam: (1,) or (N,), in [0, 1].
        whole: returns the rows of all processes, among which the permutation names partners; none
            is this process alone.

    Raises:
        UserError: if the module did not run exactly once, or if its output is not one tensor with
            N rows.
    """
    runs = 0

    def hook(_: nn.Module, __: Any, output: Any) -> Tensor:
        nonlocal runs
        runs += 1
        if not isinstance(output, Tensor) or output.shape[:1] != permutation.shape:
            raise UserError(
                f"The output of {type(module).__name__} is not one tensor with "
                f"{len(permutation)} rows: choose another layer to mix at."
            )
        others = output if whole is None else whole(output)
        return blend(output, others[permutation], lam)

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
    if runs != 1:
        raise UserError(
            f"{type(module).__name__} ran {runs} times in a forward pass that was to be mixed "
            "there once: choose another layer, and do not compile the network."
        )


@dataclass
class MixedInside(Mixed):
    """A batch whose images are whole and whose features are to be mixed at `layer`.

    Attributes:
        layer: "output" or the dotted name of a submodule.
        permutation: int64 (N,), the partner of each image.
        lam: float32 (1,) or (N,), the weight of the image's own features.
        whole: returns the rows of all processes; none is this process alone.
    """

    layer: str
    permutation: Tensor
    lam: Tensor
    whole: Callable[[Tensor], Tensor] | None = None

    def inside(self, network: nn.Module) -> AbstractContextManager[None]:
        """Return the context in which `network` mixes its features at `layer`.

        Raises:
            UserError: if the network has no such layer, or does not run it exactly once.
        """
        try:
            module = network if self.layer == "output" else network.get_submodule(self.layer)
        except AttributeError as error:
            names = ", ".join(name for name, _ in network.named_children())
            raise UserError(
                f"layers has {self.layer} but {type(network).__name__} has no such part: use "
                f"input, output or a name such as {names}."
            ) from error
        return mix_at(module, self.permutation, self.lam, self.whole)

    def part(self, places: Tensor, whole: Callable[[Tensor], Tensor]) -> Mixed:
        """Return some images of the batch, whose partners may be those of another process."""
        lam = self.lam[places] if len(self.lam) > 1 else self.lam
        own = replace(self, permutation=self.permutation[places], lam=lam, whole=whole)
        return Mixed.part(own, places, whole)


class ManifoldMixup(Mixing):
    """Manifold mixup: the features of one layer are mixed instead of the images.

    h = lam h_i + (1 - lam) h_j at a layer drawn uniformly per batch, label weight lam for y_i and
    1 - lam for y_j, with lam ~ Beta(alpha, alpha) and j a random permutation of the batch. The
    features are mixed when the network runs in the context `mixed.inside(network)`.

    Paper: Verma et al., Manifold Mixup: Better Representations by Interpolating Hidden States,
    ICML 2019, section 2.

    Args:
        alpha: of the Beta distribution, above 0; BagofTricks-LT has 1, the paper 2 on CIFAR
            (recalled, unchecked).
        layers: one or more of "input" (the images), "output" (what the network returns) and dotted
            names of submodules. With a backbone as the network, "output" is the pooled feature,
            the choice of BagofTricks-LT; the paper draws from the input and early blocks.

    Raises:
        UserError: if `alpha` is not above 0 or `layers` is empty.
    """

    def __init__(self, alpha: float = 1.0, layers: list[str] = ["output"]) -> None:  # noqa: B006
        check_positive("alpha", alpha)
        if not layers or not all(layers):
            raise UserError(f"layers is {layers}: name at least one layer, such as output.")
        self.alpha, self.layers = alpha, list(layers)

    def __call__(
        self,
        images: Tensor,
        targets: Tensor,
        class_counts: ClassCounts | None = None,
        generator: torch.Generator | None = None,
        *,
        share: Share | None = None,
        permutation: Tensor | None = None,
    ) -> Mixed:
        """Return the batch with lam, permutation and layer; `class_counts` has no effect."""
        check_pairs(images, targets)
        n = len(images)
        lam = share_of(share, images, generator, alpha=self.alpha)
        partner = partners_of(images, generator, permutation)
        layer = self.layers[self._draw_layer(generator, images.device)]
        labels = (targets, targets[partner], lam.expand(n))
        if layer == "input":
            return Mixed(blend(images, images[partner], lam), *labels)
        return MixedInside(images, *labels, layer=layer, permutation=partner, lam=lam)

    def _draw_layer(self, generator: torch.Generator | None, device: torch.device) -> int:
        if len(self.layers) == 1:  # nothing to wait for on a GPU
            return 0
        count = len(self.layers)
        device = generator.device if generator is not None else device
        return int(torch.randint(count, (), generator=generator, device=device))
