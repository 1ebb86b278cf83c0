"""What the losses and weight rules ask of their arguments."""

import warnings
from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import are_probabilities, check_tensors, told_value

LENGTH_TOLERANCE = 0.05  # in half precision a normalised row is 1 but for 0.01


def check_range(
    name: str,
    value: float,
    low: float = 0.0,
    high: float = float("inf"),
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return `value` if it lies between `low` and `high`, or say where it should lie.

    Raises:
        UserError: if `value` is outside the range or NaN.
    """
    above = value > low if open_low else value >= low
    below = value < high if open_high else value <= high
    if not (above and below) or value == float("inf"):
        left, right = "(" if open_low else "[", ")" if open_high or high == float("inf") else "]"
        raise UserError(f"{name} is {value}: choose it in {left}{low:g}, {high:g}{right}.")
    return value


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Do nothing if `value` is one of `choices`, or name them.

    Raises:
        UserError: if `value` is none of `choices`.
    """
    if value not in choices:
        raise UserError(f"{name} is {value!r}: choose one of {', '.join(choices)}.")


def check_batch(logits: Tensor, targets: Tensor, num_outputs: int, num_classes: int) -> None:
    """Refuse logits and targets whose shapes or types cannot belong together.

    Reads shapes and types only, so it costs nothing and never waits for the device.

    Raises:
        UserError: if the width, the length or the type is wrong.
    """
    check_tensors(logits=logits, targets=targets)
    if logits.ndim != 2 or logits.shape[1] != num_outputs:
        raise UserError(
            f"The logits have the shape {tuple(logits.shape)} but the loss was built for "
            f"{num_classes} classes: give logits of the shape (N, {num_outputs}), or build the "
            "loss from the class_counts of this data."
        )
    if targets.shape != logits.shape[:1] or targets.dtype != torch.int64:
        raise UserError(
            f"The targets have the shape {tuple(targets.shape)} and the type {targets.dtype}: "
            f"give one class index per image, int64 ({len(logits)},)."
        )


def check_share(share: Tensor | float | None, length: int) -> None:
    """Refuse a share that is neither one number nor one per image.

    Reads the value of a plain number, and of a tensor the shape only.

    Raises:
        UserError: if it is neither, the shape does not fit, or a plain number is outside [0, 1].
    """
    if isinstance(share, Tensor):
        if share.shape not in ((), (length,)):
            raise UserError(
                f"share has the shape {tuple(share.shape)} for {length} images: give one number, "
                f"or one per image, ({length},)."
            )
    elif isinstance(share, Real):
        check_range("share", float(share), 0.0, 1.0)
    elif share is not None:
        raise UserError(
            f"share is {told_value(share)}: give one number in [0, 1], or a tensor of one per "
            f"image, ({length},)."
        )


def check_each(values: Tensor, given: Tensor, function: str) -> Tensor:
    """Return the losses of images or anchors, or say what they must be.

    Reads shape and type only, so it never waits for the device.

    Args:
        values: what the function returned.
        given: what it was given, (N, any): logits or embeddings.
        function: its name, with that of its class.

    Raises:
        UserError: unless they are a tensor (N,) of floats, with a gradient where the input has one.
    """
    n = len(given)
    if not isinstance(values, Tensor) or values.shape != (n,) or not values.is_floating_point():
        got = told_value(values)
    elif given.requires_grad and torch.is_grad_enabled() and not values.requires_grad:
        got = "values without a gradient"
    else:
        return values
    raise UserError(
        f"{function} gave {got} for {n} rows: return one float for each, ({n},), with a gradient, "
        'as `cross_entropy(logits, targets, reduction="none")` does.'
    )


def check_weights(weights: Tensor, num_classes: int, rule: str) -> Tensor:
    """Return the class weights of a rule, or say what they must be.

    Raises:
        UserError: unless they are a tensor (C,) of finite floats of at least 0.
    """
    known = isinstance(weights, Tensor) and weights.is_floating_point()
    if not known or weights.shape != (num_classes,):
        got = told_value(weights)
    elif not bool((weights.isfinite() & (weights >= 0)).all()):
        got = f"weights from {float(weights.min()):.4g} to {float(weights.max()):.4g}"
    else:
        return weights
    raise UserError(
        f"{rule} gave {got} for {num_classes} classes: return float64 ({num_classes},), one finite "
        "weight of at least 0 per class."
    )


def check_values(logits: Tensor, targets: Tensor, num_classes: int) -> None:
    """Refuse logits that are not finite or are probabilities, and targets that are no class.

    Reads the values, so on a GPU it waits for them: meant for the first batch only.

    Raises:
        UserError: if a logit is NaN or infinite, every row sums to 1 within [0, 1], or a target
            is outside [0, C).
    """
    rows = logits.detach().float()
    if not bool(rows.isfinite().all()):
        raise UserError(
            "The logits of the first batch are NaN or infinite: look at the images and at the "
            "mean and deviation they are normalised with, or at the weights that were loaded."
        )
    if are_probabilities(rows):
        raise UserError(
            "The logits of the first batch lie in [0, 1] and each row sums to 1, as probabilities "
            "do: give the outputs of the classifier before softmax."
        )
    check_classes(targets, num_classes)


def check_classes(targets: Tensor, num_classes: int) -> None:
    """Refuse targets that are no class; it reads the values, see `check_values`.

    Raises:
        UserError: if a target is outside [0, C).
    """
    low, high = int(targets.min()), int(targets.max())
    if low < 0 or high >= num_classes:
        raise UserError(
            f"The targets of the first batch run from {low} to {high} but there are {num_classes} "
            f"classes: number the classes from 0 to {num_classes - 1}."
        )


def check_lengths(embeddings: Tensor) -> None:
    """Refuse embeddings that are not normalised; it reads the values, see `check_values`.

    Raises:
        UserError: if one has another length than 1, or 0, which normalising leaves as it is.
    """
    lengths = embeddings.detach().float().norm(dim=1)
    odd = ((lengths - 1).abs() > LENGTH_TOLERANCE) & (lengths > LENGTH_TOLERANCE)
    if bool((odd | lengths.isnan()).any()):
        raise UserError(
            f"The embeddings of the first batch have lengths from {float(lengths.min()):.3g} to "
            f"{float(lengths.max()):.3g}: give them normalised, F.normalize(embeddings, dim=1)."
        )


def check_reach(logits: Tensor, scale: float, name: str, *, first: bool) -> None:
    """Refuse logits that no cosine head of this scale gives, and warn of bare cosines.

    Reads the values, so on a GPU it waits for them. A batch of small logits may be chance, in a
    wide network at its start, so that is no error.

    Args:
        logits: (N, C), which should be scale * cosine.
        scale: that the loss was built for.
        name: of the loss.
        first: whether this is the first batch, the only one to warn of.

    Raises:
        UserError: if a logit is outside [-scale, scale].
    """
    reach = float(logits.detach().abs().max())
    if reach > 1.01 * scale:  # half precision rounds
        raise UserError(
            f"{name} is for scale * cosine with the scale {scale:g} but a logit has the size "
            f"{reach:.4g}: give it the outputs of CosineHead, or the scale of your head."
        )
    if first and 0 < reach <= 1.001 < scale:
        warnings.warn(
            f"All logits lie in [-{reach:.3g}, {reach:.3g}], as bare cosines do, but {name} has "
            f"the scale {scale:g}: give it {scale:g} * cosine, as CosineHead does.",
            stacklevel=4,
        )
