"""What training with a loss comes to: targets are raised, and the prior is where it is said."""

import torch

from lt_lightning.testing.expect import that
from lt_lightning.testing.loss_batch import (
    COUNTS,
    LossMaker,
    batch_for,
    extremes_of,
    gradient_of,
)


def hopeless_images_pull_their_target_up(make: LossMaker) -> None:
    """Where all logits are against the target, its gradient is still below 0."""
    loss = make(COUNTS)
    batch = batch_for(loss)
    _, slope = gradient_of(
        loss, batch.with_logits(extremes_of(loss, batch)["all against the target"])
    )
    that(
        (slope.gather(1, batch.targets[:, None]) < 0).all(),
        "an image whose logits are all against its target has no gradient that raises it",
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
    counts = torch.tensor([64, 16, 4])
    loss = make(counts)
    loss.set_weights(None)
    targets = torch.arange(3).repeat_interleave(counts)
    logits = torch.zeros(loss.num_outputs, requires_grad=True)
    features = torch.ones(len(targets), 4)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(60):  # the slope is then on the side of the bounds where it stays
        optimizer.zero_grad()
        loss(logits.expand(len(targets), -1), targets, features=features).backward()
        optimizer.step()
    found = loss.predict_logits(logits.detach()[None])[0]
    prior = counts.double().log()
    prior -= prior.mean()
    slope = float((prior * found).sum() / (prior * prior).sum())
    what = f"images without information get logits with the slope {slope:.2f} over the log-prior"
    if loss.corrects_prior:
        that(slope < 0.95, f"{what}, as with cross-entropy: corrects_prior must be False")
    else:
        that(abs(slope) > 0.1, f"{what}: set corrects_prior = True")
