"""Temperature and vector scaling of a finished run."""

import logging
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.changes import follow
from lt_lightning.errors import UserError, counted
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.outputs import held_out_logits

log = logging.getLogger(__name__)
_FLAT = 100  # the largest logit over the smallest one is then e^0.01
_NAMED = 5  # classes in a warning
_ITERATIONS = 200  # LBFGS stops long before


class TemperatureScaling(PostHoc):
    """Temperature scaling: z / T with one T > 0 that has the least NLL on held-out images.

    The predicted class does not change. Held-out images follow the long tail, so each one counts
    1 / (images of its class): T is fitted for balanced data. Where the NLL has no minimum, it is
    said: with images that are all right T stays 1, with logits that tell nothing it is large.

    Paper: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, Eq. 9.

    Args:
        temperature: T, above 0; none fits it.

    Raises:
        UserError: if the temperature is not positive.
    """

    calibrates = True

    on_held_out = True

    def __init__(self, temperature: float | None = None) -> None:
        if temperature is not None and not 0 < temperature < float("inf"):
            raise UserError(
                f"temperature is {temperature}: give a number above 0, or null to fit it."
            )
        self.temperature = temperature

    def given(self) -> dict[str, Tensor] | None:
        """Return T, where it was given."""
        return None if self.temperature is None else {"temperature": _wide(self.temperature)}

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the T of the least NLL; where there is no such T, another one with a warning."""
        self.fitted_on = "held-out"
        logits, targets = held_out_logits(model, data)
        found = _without_minimum(logits.double(), targets)
        if found is not None:
            return {"temperature": _wide(found)}
        log_t = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        minimise_nll(logits, targets, [log_t], lambda z: z / log_t.exp())
        return {"temperature": _wide(log_t.exp().item())}

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Divide the logits."""
        temperature = self.temperature = float(values["temperature"])
        follow(model, lambda logits: logits / temperature)

    def log_shares_after(self, model: LongTailModule, before: Tensor) -> Tensor:
        """Return them as they were: one number for all classes makes none of them larger."""
        return before

    def describe(self) -> str:
        """Return the name and T."""
        return f"temperature_{self.temperature:.3g}"


class VectorScalingCalibration(PostHoc):
    """Vector scaling: a * z + b per class with the least NLL on held-out images.

    A class without a held-out image tells nothing of its a and b, and those of the others would
    gain at its cost: the least NLL is that over the classes with images, and it gets their mean.

    Paper: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.

    Args:
        decay: of (a - 1)^2 and b^2 in the objective, which 2 C numbers fitted on few images need;
            0 or more. With 0 there is no least NLL where all images are right; then it is said,
            and the logits stay.

    Raises:
        UserError: if the decay is negative.
    """

    calibrates = True

    on_held_out = True

    def __init__(self, decay: float = 1e-2) -> None:
        if not 0 <= decay < float("inf"):
            raise UserError(f"decay is {decay}: give 0 or more, such as 0.01.")
        self.decay = decay

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return a and b of the least objective; of a class without images the mean of all."""
        logits, targets = held_out_logits(model, data)
        self.fitted_on = "held-out"
        present = torch.bincount(targets, minlength=model.num_classes) > 0
        _warn_of_absent([n for n, p in zip(model.class_names, present, strict=True) if not p])
        # Beside a class that is no target, the others would gain whatever it is worth.
        found = self._fit(logits[:, present], (present.cumsum(0) - 1)[targets])
        of_all = {name: value.mean().repeat(len(present)) for name, value in found.items()}
        for name, value in found.items():
            of_all[name][present.cpu()] = value
        return {name: value.float() for name, value in of_all.items()}

    def _fit(self, logits: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return a and b, float64 (C,), of classes that all have images."""
        scale = torch.ones(logits.shape[1], dtype=torch.float64, requires_grad=True)
        bias = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=True)
        found = {"scale": scale.detach(), "bias": bias.detach()}
        if self.decay == 0 and _all_right(logits, targets, "logits are left as they are"):
            return found

        def penalty() -> Tensor:
            return self.decay * ((scale - 1).square().sum() + bias.square().sum())

        minimise_nll(logits, targets, [scale, bias], lambda z: scale * z + bias, penalty)
        return found

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Change the logits."""
        a, b = values["scale"].float(), values["bias"].float()
        follow(model, lambda logits: logits * a.to(logits.device) + b.to(logits.device))

    def describe(self) -> str:
        """Return the name."""
        return "vector_scaling"


def minimise_nll(
    logits: Tensor,
    targets: Tensor,
    parameters: list[Tensor],
    change: Callable[[Tensor], Tensor],
    penalty: Callable[[], Tensor] | None = None,
) -> None:
    """Fit `parameters` in place to the least class-balanced NLL of the changed logits, by LBFGS.

    Args:
        logits: (N, C).
        targets: int64 (N,).
        parameters: float64 leaves that `change` uses.
        change: from logits to changed logits.
        penalty: added to the objective.
    """
    wide, labels = logits.double().cpu(), targets.cpu()
    weight = _weights(labels)
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=_ITERATIONS, line_search_fn="strong_wolfe", tolerance_change=1e-12
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = (weight * F.cross_entropy(change(wide), labels, reduction="none")).sum()
        if penalty is not None:
            value = value + penalty()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]


def _warn_of_absent(names: Sequence[str]) -> None:
    """Say which classes have no held-out image, if any."""
    if names:
        log.warning(
            "The mean scale and offset of the others are taken for %s without a held-out image "
            "(%s): hold out more images, or take temperature scaling.",
            counted(len(names), "class", "classes"),
            ", ".join([*names[:_NAMED], *(["..."] if len(names) > _NAMED else [])]),
        )


def _weights(labels: Tensor) -> Tensor:
    """Return what each image counts, float64 (N,), the same in sum for each class that has any."""
    weight = 1.0 / torch.bincount(labels).double()[labels]
    return weight / weight.sum()


def _without_minimum(logits: Tensor, targets: Tensor) -> float | None:
    """Return the T to take where no T > 0 has the least NLL, with a warning, or none.

    The NLL is convex in 1 / T. It falls for ever where every image is right, and rises from
    1 / T = 0 on where the logit of the target is no higher than the mean of all, on average.
    """
    if _all_right(logits, targets, "the temperature stays 1"):
        return 1.0
    own = logits.gather(1, targets[:, None])[:, 0]
    if float((_weights(targets) * (own - logits.mean(dim=1))).sum()) > 0:
        return None
    log.warning(
        "The logits tell nothing of the classes of the %d held-out images: the temperature makes "
        "all classes about equally probable.",
        len(targets),
    )
    return max(1.0, _FLAT * float(logits.max() - logits.min()))


def _all_right(logits: Tensor, targets: Tensor, then: str) -> bool:
    """Return whether the NLL falls for ever as the logits grow, with a warning."""
    own = logits.gather(1, targets[:, None])[:, 0]
    right = bool((own == logits.max(dim=1).values).all())
    if right:
        log.warning(
            "All of the %d held-out images are right, so that no scale has the least NLL: %s.",
            len(targets),
            then,
        )
    return right


def _wide(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
