"""What every sampling rule promises."""

import torch

from lt_lightning.samplers import EpochSampler, SamplingRule
from lt_lightning.testing.constructor import check_constructor
from lt_lightning.testing.expect import promised, that, untouched_generator

COUNTS = (60, 25, 10, 4, 1)
_EPOCHS = 11
_SEEDS = 1500  # a rule that takes one image of a class leaves one of 60 out once in 10^11


def check_sampling_rule(rule: SamplingRule) -> None:
    """Check all that a sampling rule promises.

    Args:
        rule: an instance, with any settings.

    Raises:
        AssertionError: with what is broken.
    """
    what = rule.__name__ if isinstance(rule, type) else type(rule).__name__
    that(isinstance(rule, SamplingRule), f"{what} is no rule: give an instance of a SamplingRule")
    with promised():
        for check in CHECKS:
            check(rule)


def _labels() -> torch.Tensor:
    # in no order, so that an index into the sorted images is not an image index
    labels = torch.arange(len(COUNTS)).repeat_interleave(torch.tensor(COUNTS))
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]


def _sampler(
    rule: SamplingRule,
    epoch: int = 0,
    *,
    seed: int = 0,
    size: int | None = None,
    world: int = 1,
    rank: int = 0,
) -> EpochSampler:
    made = rule.sampler(
        _labels(),
        seed=seed,
        max_epochs=_EPOCHS,
        num_samples=size,
        num_replicas=world,
        rank=rank,
    )
    made.set_epoch(epoch)
    return made


def constructor_is_typed(rule: SamplingRule) -> None:
    """Every option has a type, so that a command line can give it."""
    check_constructor(type(rule), SamplingRule)


def shares_are_probabilities(rule: SamplingRule) -> None:
    """class_probabilities gives float64 (C,) with the sum 1, of counts of any kind."""
    for epoch in (0, _EPOCHS - 1):
        found = rule.class_probabilities(torch.tensor(COUNTS), epoch, _EPOCHS)
        what = f"class_probabilities in epoch {epoch}"
        owed = "owed are float64 (C,), each at least 0, with the sum 1"
        form = isinstance(found, torch.Tensor) and found.dtype == torch.float64
        that(form and found.shape == (5,), f"{what} are {found}, {owed}")
        that((found >= 0).all(), f"{what} are {found.tolist()}, {owed}")
        that(abs(float(found.sum()) - 1) < 1e-9, f"{what} sum to {float(found.sum())}, {owed}")
        listed = rule.class_probabilities(list(COUNTS), epoch, _EPOCHS)
        that(torch.equal(listed, found), f"{what} are others for a list of counts")


def drawn_classes_follow_the_shares(rule: SamplingRule) -> None:
    """The classes of many draws are those of class_probabilities, within 3 %."""
    for epoch in (0, _EPOCHS - 1):
        draws = [_sampler(rule, epoch, seed=s, size=2000).global_indices() for s in range(3)]
        share = torch.bincount(_labels()[torch.cat(draws)], minlength=5) / 6000
        want = rule.class_probabilities(torch.tensor(COUNTS), epoch, _EPOCHS)
        that(
            (share - want).abs().max() < 0.03,
            f"epoch {epoch} draws the classes with the shares {share.tolist()} but "
            f"class_probabilities says {want.tolist()}",
        )


def every_image_can_be_drawn(rule: SamplingRule) -> None:
    """No image of a class that is drawn is left out, unless the rule says `leaves_images_out`."""
    if rule.leaves_images_out:
        return
    labels, counts = _labels(), torch.tensor(COUNTS)
    shares = [rule.class_probabilities(counts, epoch, _EPOCHS) for epoch in (0, _EPOCHS - 1)]
    missing = (torch.stack(shares) > 0).any(0)[labels]
    for seed in range(_SEEDS):
        for epoch in (0, _EPOCHS - 1):
            missing[_sampler(rule, epoch, seed=seed, size=2000).global_indices()] = False
        if not missing.any():
            return
    never = torch.bincount(labels[missing], minlength=len(COUNTS))
    told = ", ".join(f"{k} of {n}" for k, n in zip(never.tolist(), COUNTS, strict=True))
    that(
        False,
        f"some images are never drawn, whatever the seed ({told} of the classes): if on purpose, "
        "set leaves_images_out = True",
    )


def changes_are_declared(rule: SamplingRule) -> None:
    """`changes_over_run` says whether class_probabilities depend on the epoch."""
    counts = torch.tensor(COUNTS)
    found = [rule.class_probabilities(counts, epoch, _EPOCHS) for epoch in range(_EPOCHS)]
    changes = any(not torch.equal(one, found[0]) for one in found)
    that(changes == rule.changes_over_run, f"set changes_over_run = {changes}")


def draw_depends_on_seed_and_epoch_alone(rule: SamplingRule) -> None:
    """The same seed and epoch give the same draw, whatever other generators do."""
    first = list(_sampler(rule, 2, seed=1))
    torch.manual_seed(9)
    with untouched_generator():
        again = list(_sampler(rule, 2, seed=1))
    that(again == first, "the same seed and epoch give another draw")
    if len(set(first)) > len(COUNTS):
        that(list(_sampler(rule, 2, seed=2)) != first, "another seed gives the same draw")
        that(list(_sampler(rule, 3, seed=1)) != first, "another epoch gives the same draw")


def processes_share_one_draw(rule: SamplingRule) -> None:
    """Several processes together see the images that one sees."""
    whole = _sampler(rule, 4).global_indices().tolist()
    parts = [list(_sampler(rule, 4, world=3, rank=rank)) for rank in range(3)]
    dealt = [image for turn in zip(*parts, strict=True) for image in turn]
    that(dealt[: len(whole)] == whole, "three processes draw other images than one")


def length_is_kept(rule: SamplingRule) -> None:
    """An epoch has the length that the rule says, or the one that is asked for."""
    made = _sampler(rule, 6)
    length = len(list(made))
    that(length == rule.epoch_length(made.index), f"an epoch has {length} images, not as told")
    that(len(list(_sampler(rule, size=37))) == 37, "an epoch of 37 images has another length")
    drawn = made.global_indices()
    inside = (drawn >= 0) & (drawn < sum(COUNTS))
    that(drawn.dtype == torch.int64 and bool(inside.all()), "draw gives what is no image index")


CHECKS = (
    constructor_is_typed,
    shares_are_probabilities,
    drawn_classes_follow_the_shares,
    every_image_can_be_drawn,
    changes_are_declared,
    draw_depends_on_seed_and_epoch_alone,
    processes_share_one_draw,
    length_is_kept,
)
