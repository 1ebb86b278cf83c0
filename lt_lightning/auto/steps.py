"""What is tried: in which order, and how each step is given to `lt fit` or `lt test`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.runs import packaged
from lt_lightning.runs.argv import CONFIG

_TAIL = 3  # of so many epochs of a first stage the second has one, as in the results of two stages


@dataclass(frozen=True)
class Step:
    """One thing that is tried.

    Attributes:
        name: of its folder.
        title: what it is called.
        config: its config in this package; none for a change of the baseline without training.
        post_hoc: that change.
        first: whether it trains a network from the start, as long as the baseline.
        second: whether it trains a second stage; without `first` on the baseline's features.
        words: options of its own.
    """

    name: str
    title: str
    config: str | None = None
    post_hoc: str | None = None
    first: bool = False
    second: bool = False
    words: tuple[str, ...] = ()

    def epochs(self, baseline: int) -> int:
        """Return how many epochs it trains, where the baseline trains `baseline`."""
        return self.first * baseline + self.second * tail(baseline)

    def command(self, runs: Path, given: Sequence[str], baseline: Path, epochs: int) -> list[str]:
        """Return the words of the command after `lt`.

        Args:
            runs: the folder of all steps.
            given: configs and options that lie over those of every step.
            baseline: the run folder of the baseline.
            epochs: of the baseline.
        """
        if self.config is None:
            change = [f"--post_hoc={self.post_hoc}", f"--save_as={self.name}"]
            return ["test", str(baseline), *change, *self.words, "--test_on=held_out"]
        place = [f"--runs={runs}", f"--name={self.name}", "--ckpt_path=last", "--test_on=held_out"]
        own = [*self.words, *self._length(baseline, epochs)]
        # Its file, for a file of that name may lie where the command is given.
        config = f"{CONFIG}={packaged.configs()[self.config]}"
        return ["fit", config, *given, *own, *place]

    def _length(self, baseline: Path, epochs: int) -> list[str]:
        if not self.second:
            return [f"--trainer.max_epochs={epochs}"]
        first = f"stage1_epochs={epochs}" if self.first else f"stage1_ckpt={baseline}"
        second = f"stage2_epochs={tail(epochs)}"
        return ["--trainer.max_epochs=null", f"--model.{first}", f"--model.{second}"]


def tail(epochs: int) -> int:
    """Return the epochs of a second stage."""
    return math.ceil(epochs / _TAIL)


BASELINE = Step("ce", "cross-entropy", config="ce", first=True)
# cRT's own schedule warms up for longer than a short second stage lasts.
_COSINE = ("--model.stage2_lr_schedule=CosineRecipe", "--model.stage2_lr_schedule.warmup_epochs=0")
# In the order in which they are run: what costs nothing, what costs a third, what costs as much.
STEPS = (
    BASELINE,
    Step("logit_adjustment", "logit adjustment", post_hoc="LogitAdjuster"),
    # The logits' factors have no tau for all networks; this one is that of the recipe.
    Step(
        "multiplicative_adjustment",
        "multiplicative adjustment",
        post_hoc="MultiplicativeLogitAdjuster",
        words=("--post_hoc.tau=0.1",),
    ),
    Step("tau_norm", "tau-normalisation", post_hoc="TauNormalization"),
    Step("nearest_mean", "nearest class mean", post_hoc="NearestMean"),
    Step("crt", "cRT", config="crt", second=True, words=_COSINE),
    Step("label_aware_smoothing", "label-aware smoothing", config="mislas", second=True),
    Step("balanced_softmax", "Balanced Softmax", config="balanced_softmax", first=True),
    Step("ldam_drw", "LDAM-DRW", config="ldam_drw", first=True),
    Step("mislas", "MiSLAS (mixup first)", config="mislas", first=True, second=True),
)
# Of equals the first is taken: one training alone, a sum or a factor on it, another loss, two
# stages, two stages with mixed images.
SIMPLEST_FIRST = (
    "ce",
    "logit_adjustment",
    "multiplicative_adjustment",
    "tau_norm",
    "nearest_mean",
    "balanced_softmax",
    "ldam_drw",
    "crt",
    "label_aware_smoothing",
    "mislas",
)
