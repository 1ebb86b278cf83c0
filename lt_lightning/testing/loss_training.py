"""What training with a loss comes to: targets are raised, and the prior is where it is said."""

import torch
from torch import Tensor

from lt_lightning.losses import Loss
from lt_lightning.testing.expect import that
from lt_lightning.testing.loss_batch import (
    COUNTS,
    LossMaker,
    batch_for,
    extremes_of,
    gradient_of,
)

SIZES = (64, 16, 4)  # of the classes whose shares are learned


def hopeless_images_pull_their_target_up(make: LossMaker) -> None:
    """Where all logits are against the target, its gradient is still below 0.

    A loss that says `bounded` has none there, but has where the target is at e^-8 of the others.
    """
    loss = make(COUNTS)
    batch = batch_for(loss)
    logits = extremes_of(loss, batch)["all against the target"]
    if loss.bounded:
        logits = 4 * logits.sign()
    _, slope = gradient_of(loss, batch.with_logits(logits))
    that(
        (slope.gather(1, batch.targets[:, None]) < 0).all(),
        "an image whose logits are all against its target has no gradient that raises it"
        + ("" if loss.bounded else ": if the value is bounded on purpose, set bounded = True"),
    )


def following_the_gradient_predicts_the_targets(make: LossMaker) -> None:
    """Ten steps along the gradient from zero logits make each target the prediction.

    Each is half as long as the one before, for a loss with its minimum near by.
    """
    loss = make(COUNTS)
    loss.set_weights(None)
    batch = batch_for(loss, 12)
    logits, values = torch.zeros_like(batch.logits), []
    for k in range(10):
        value, slope = gradient_of(loss, batch.with_logits(logits))
        logits = logits - 0.5**k * slope.sign()
        values.append(float(value))
    that(values[-1] < values[0], f"ten steps along the gradient went from {values[0]} to {value}")
    that(
        torch.equal(loss.predict_logits(logits).argmax(1), batch.targets),
        "ten steps along the gradient do not predict the targets",
    )


def marker_of_the_prior_is_true(make: LossMaker) -> None:
    """`corrects_prior` is set where, and only where, logits alone come out balanced.

    Images that cannot be told apart are learned: cross-entropy then predicts log n, a slope of 1
    over the log-prior; a full correction gives equal logits, a slope of 0.
    """
    loss, found = _without_information(make, SIZES)
    prior = torch.tensor(SIZES).double().log()
    prior -= prior.mean()
    slope = float((prior * found).sum() / (prior * prior).sum())
    what = f"images without information get logits with the slope {slope:.2f} over the log-prior"
    if loss.corrects_prior:
        that(slope < 0.95, f"{what}, as with cross-entropy: corrects_prior must be False")
    else:
        that(abs(slope) > 0.1, f"{what}: set corrects_prior = True")


def what_is_assumed_is_learned(make: LossMaker) -> None:
    """What `assumed` says of a loss that changes the shares is what such images are taken for.

    They are drawn as they are, and evenly, for a loss knows the class sizes and not the sampler.
    """
    for drawn in (SIZES, (28, 28, 28)):
        loss, found = _without_information(make, drawn)
        shares = torch.tensor(drawn).double().log().log_softmax(0)
        said = loss.assumed(shares)
        if not loss.corrects_prior and torch.equal(said, shares):
            continue  # margins and focal factors are no statement about the shares
        said, got = said.softmax(0), found.double().softmax(0)
        that(
            (said - got).abs().max() < 0.03,
            f"images without information, drawn {drawn} times, are taken for the classes with the "
            f"shares {_told(got)}, and assumed says {_told(said)}: override assumed",
        )


def _without_information(make: LossMaker, drawn: tuple[int, ...]) -> tuple[Loss, Tensor]:
    """Return the loss of `SIZES`, and the logits (C,) of images that cannot be told apart."""
    loss = make(torch.tensor(SIZES))
    loss.set_weights(None)
    targets = torch.arange(len(drawn)).repeat_interleave(torch.tensor(drawn))
    logits = torch.zeros(loss.num_outputs, requires_grad=True)
    features = torch.ones(len(targets), 4)
    # its steps are sums of gradients, so that what no gradient changes stays 0
    optimizer = torch.optim.LBFGS([logits], max_iter=60, line_search_fn="strong_wolfe")

    def value() -> float:
        optimizer.zero_grad()
        result = loss(logits.expand(len(targets), -1), targets, features=features)
        result.backward()
        return float(result.detach())

    optimizer.step(value)  # type: ignore[no-untyped-call]  # torch's own
    return loss, loss.predict_logits(logits.detach()[None])[0]


def _told(shares: Tensor) -> str:
    return ", ".join(f"{share:.2f}" for share in shares.tolist())
