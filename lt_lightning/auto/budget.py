"""What fits into the time: epochs and steps, from measured seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from lt_lightning.auto.steps import STEPS, Step

FEWEST = 5  # epochs of a baseline; fewer are no training
ENOUGH = 10  # epochs; steps at the end are given up before the baseline gets fewer


@dataclass(frozen=True)
class Speed:
    """What was measured, in seconds.

    Attributes:
        epoch: an epoch of the baseline.
        around: what a training takes beside its epochs: start, test on the held-out images.
        change: a change without training.
        ending: calibration, the test on the test split, the report.
    """

    epoch: float
    around: float
    change: float
    ending: float

    def seconds(self, step: Step, baseline: int, done: int = 0) -> float:
        """Return what a step takes.

        Args:
            step: the step.
            baseline: epochs of the baseline.
            done: its epochs that are behind it.
        """
        if step.config is None:
            return self.change
        return max(step.epochs(baseline) - done, 0) * self.epoch + self.around

    def whole(self, steps: Sequence[Step], baseline: int, done: int = 0) -> float:
        """Return what the steps and the ending take; `done` epochs of the first are behind it."""
        first = self.seconds(steps[0], baseline, done)
        return first + sum(self.seconds(step, baseline) for step in steps[1:]) + self.ending


def plan(speed: Speed, left: float, most: int, done: int) -> int:
    """Return the epochs of the baseline, 0 where not even the fewest end in time.

    As many as leave time for all steps. Steps are given up from the end, of those that train,
    until the baseline gets `ENOUGH` epochs; whether there is time for one after all is seen when
    its turn comes.

    Args:
        speed: as measured.
        left: seconds.
        most: epochs of the baseline at most.
        done: epochs of it that are behind it.
    """
    trained = [step for step in STEPS if step.config is not None]
    epochs = 0
    for kept in range(len(trained), 0, -1):
        steps = [step for step in STEPS if step not in trained[kept:]]
        epochs = longest(speed, steps, left, most, done)
        if epochs >= min(ENOUGH, most):
            return epochs
    return epochs if epochs >= _fewest(most) else 0


def longest(speed: Speed, steps: Sequence[Step], left: float, most: int, done: int) -> int:
    """Return the epochs of the baseline with which all of the steps end in time, 0 for none."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        fits = speed.whole(steps, middle, done) <= left
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def needed(speed: Speed, most: int, done: int) -> float:
    """Return the seconds of the least course: a baseline and what costs nothing on it."""
    steps = [step for step in STEPS if step is STEPS[0] or step.config is None]
    return speed.whole(steps, _fewest(most), done)


def _fewest(most: int) -> int:
    return min(FEWEST, most)
