"""results.json and the figures of a run; the schema is described in `runs.results`."""

import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from lt_lightning.callbacks.comparison import side_by_side
from lt_lightning.callbacks.outcome import Outcome, check_parts
from lt_lightning.errors import UserError
from lt_lightning.mid_epoch import in_mid_epoch
from lt_lightning.runs import environment, launch
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.results import (
    FILE_NAME,
    SCHEMA_VERSION,
    read_results,
    write_results,
)

__all__ = ["RunRecord", "read_results"]

DEFINITIONS = {
    "acc": "hits / images",
    "acc_macro": "mean of the accuracies of the classes that have test images",
    "acc_worst": "lowest accuracy of the classes that have test images",
    "groups": "mean of the accuracies of the classes of the group that have test images",
    "nll": "mean of -log p(target), in nats",
    "ece": "sum over bins of share of images * |accuracy - mean confidence|; bins of equal width "
    "over (0, 1], right edges belong to the bin",
    "mce": "largest |accuracy - mean confidence| of a bin that has images",
    "brier": "mean of the squared distance of the probabilities from the target, 0 to 2",
}


class RunRecord(Callback):
    """Writes results.json and figures into the run folder after each test.

    A second test of the same run is added under `evaluations`; what is known of the training
    stays. A file of another run, or a damaged one, is refused before anything is trained or tested.

    Attributes to be set from outside:
        evaluation: the label of the next test, "last" or "best"; none takes the name of the
            checkpoint file, "last" without one.
        monitor: the metric that chose the best checkpoint; none asks the callbacks.
        command: the command line; none takes the one at work.
        tested: the checkpoint whose weights the model holds, and its epoch, where Lightning did
            not load it.
        tau_curve: macro accuracy at each value that a change after training was chosen from.
        fitted_on: the images that it was fitted on, if any.
    To be read: `extra_pictures`, PNG files of the last test by name that are not of its own.

    Args:
        folder: the run folder; none is the trainer's default_root_dir.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder
        self.evaluation: str | None = None
        self.monitor: str | None = None
        self.command: list[str] | None = None
        self.tested: tuple[Path, int] | None = None
        self.tau_curve: dict[float, float] = {}
        self.fitted_on: str | None = None
        self.extra_pictures: dict[str, bytes] = {}
        self._seconds = 0.0
        self._since: float | None = None
        self._trained = False  # whether there was a step left to be trained
        self._fitted, self._written = False, False
        self._epochs: int | None = None  # finished ones
        self._steps: int | None = None
        self._planned: int | None = None
        self._at: int | None = None  # the epoch of the last step
        self._loaded_epoch: int | None = None
        self._outcomes: dict[str, Outcome] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse early what could not be written at the end."""
        if stage not in ("fit", "test") or _is_trial(trainer):
            return
        check_parts(trainer, pl_module, type(self).__name__)
        self._earlier(trainer, pl_module)
        self._loaded_epoch = None
        if stage == "fit":
            self._seconds, self._since, self._trained = 0.0, None, False
            self._fitted, self._written = False, False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note that the run goes on."""
        self._trained = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count the epoch, if it was not cut; Lightning counts it in any case."""
        self._at = trainer.current_epoch
        self._epochs = self._at + (0 if in_mid_epoch(trainer) else 1)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock."""
        self._seconds, self._since = self._elapsed(), None

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note how far the training went, if it went on at all."""
        self._fitted = self._trained
        if not self._trained:
            self._epochs, self._at = trainer.current_epoch, None
        self._steps, self._planned = trainer.global_step, trainer.max_epochs

    def _elapsed(self) -> float:
        return self._seconds + (0.0 if self._since is None else time.monotonic() - self._since)

    def state_dict(self) -> dict[str, float]:
        """Return the seconds of training so far."""
        return {"seconds": self._elapsed()}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on from the seconds of the checkpoint.

        Lightning also calls this for the checkpoint of a test; after a fit in this process that
        checkpoint may be an early one, and the clock is right already.
        """
        if not self._fitted:
            self._seconds = float(state_dict["seconds"])

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note the epoch of the checkpoint."""
        self._loaded_epoch = int(checkpoint["epoch"])

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sum the counts over all processes."""
        if not _is_trial(trainer):
            self._outcomes = Outcome.all_of(trainer, pl_module)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file and the figures, on the first process."""
        outcomes, self._outcomes = self._outcomes, {}
        if not outcomes or not trainer.is_global_zero:
            return
        earlier = self._earlier(trainer, pl_module)
        label = self.label(trainer)
        evaluations: dict[str, Any] = {}
        content = self._about_run(trainer, pl_module)
        if earlier is not None and not (self._fitted and not self._written):
            evaluations = earlier["evaluations"]
            if not self._fitted:
                content = earlier
        for variant, outcome in outcomes.items():
            name = f"{label}+{variant}" if variant else label
            about = self._checkpoint(trainer, name, evaluations)
            evaluation = {"checkpoint": about, **outcome.as_json()}
            if _left_out(trainer):
                evaluation["part_of_test"] = True
            if self.tau_curve and "+" in label:
                evaluation["tau_curve"] = [list(point) for point in self.tau_curve.items()]
            evaluations = {**evaluations, name: evaluation}
        folder = self._folder(trainer)
        write_results(folder, {**content, "evaluations": evaluations})
        self._written = True
        self._draw(folder, label, outcomes[""], evaluations, type(pl_module).__name__)

    def _draw(
        self, folder: Path, label: str, outcome: Outcome, evaluations: dict[str, Any], method: str
    ) -> None:
        from lt_lightning.callbacks.figures import knob_curve, to_png

        title = f"{method}, {evaluations[label]['checkpoint']['chosen_by']}"
        for name, figure in outcome.figures(title).items():
            write_whole(folder / f"{name}_{label}.png", to_png(figure))
        more: dict[str, bytes] = {}
        if self.tau_curve and "+" in label:
            more["tau_curve"] = to_png(knob_curve(self.tau_curve, "tau", str(self.fitted_on)))
            write_whole(folder / f"tau_curve_{label}.png", more["tau_curve"])
        beside = side_by_side(evaluations, method)
        if beside is not None:
            more["reliability_side_by_side"] = to_png(beside)
            write_whole(folder / "reliability_side_by_side.png", more["reliability_side_by_side"])
        self.extra_pictures = more

    def _folder(self, trainer: Trainer) -> Path:
        return Path(self.folder or trainer.default_root_dir)

    def label(self, trainer: Trainer) -> str:
        """Return the label of the test that runs."""
        if self.evaluation is not None:
            return self.evaluation
        return Path(trainer.ckpt_path).stem if trainer.ckpt_path else "last"

    def _earlier(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any] | None:
        """Return the results that are in the folder, or none.

        Raises:
            UserError: if they are damaged or of another run.
        """
        file = self._folder(trainer) / FILE_NAME
        if not file.exists():
            return None
        content = read_results(file)
        data: Any = getattr(trainer, "datamodule", None)
        for what, have, want in (
            ("method", content["method"], _class_path(pl_module)),
            ("fingerprint", content["data"]["fingerprint"], data.fingerprint),
            ("class_counts", content["data"]["class_counts"], data.class_counts.tolist()),
        ):
            if have != want:
                raise UserError(
                    f"{file} is of another run (its {what} is {str(have)[:60]}, not "
                    f"{str(want)[:60]}): give another run folder."
                )
        return content

    def _checkpoint(
        self, trainer: Trainer, label: str, evaluations: dict[str, Any]
    ) -> dict[str, Any]:
        """Return which weights were tested and how they were chosen."""
        path, epoch, source = None, self._loaded_epoch, trainer.ckpt_path
        if self.tested is not None and not source:
            source, epoch = self.tested
        if source:
            tested, folder = Path(source).resolve(), self._folder(trainer).resolve()
            inside = tested.is_relative_to(folder)
            path = (tested.relative_to(folder) if inside else tested).as_posix()
        elif self._epochs is not None:
            epoch = self._epochs - 1 if self._at is None else self._at
        weights, _, change = label.partition("+")
        if weights == "last":
            chosen_by = "last epoch"
        elif weights == "stage1":
            chosen_by = "end of stage 1"
        elif weights == "best":
            earlier = evaluations.get("best", {}).get("checkpoint", {}).get("chosen_by")
            chosen_by = self._chosen_by(trainer, earlier)
        else:
            chosen_by = "named by the user"
        if change:
            fitted = f", fitted on {self.fitted_on} images" if self.fitted_on else ""
            chosen_by += f", then {change}{fitted}"
        return {"path": path, "epoch": epoch, "chosen_by": chosen_by}

    def _chosen_by(self, trainer: Trainer, earlier: str | None) -> str:
        """Return how the best checkpoint was chosen."""
        monitors = (getattr(c, "monitor", None) for c in trainer.checkpoint_callbacks)
        monitor = self.monitor or next((m for m in monitors if m), None)
        if monitor is None and earlier is not None:
            return earlier
        data: Any = getattr(trainer, "datamodule", None)
        images = "TEST" if data.monitor_test else "held-out"
        return f"best {monitor or 'validation metric'} on {images} images"

    def _about_run(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return everything but the evaluations."""
        data: Any = getattr(trainer, "datamodule", None)
        module: Any = pl_module
        command = self.command or launch.command()
        epochs = self._epochs
        if epochs is None and self._loaded_epoch is not None:
            epochs = self._loaded_epoch + 1
        sizes = [(p.numel(), p.requires_grad) for p in pl_module.parameters()]
        known_time = self._fitted or self._seconds > 0
        return {
            "schema_version": SCHEMA_VERSION,
            "method": _class_path(pl_module),
            "config": environment.config_names(command),
            "command": command,
            "seeds": {"training": environment.training_seed(), "subset": data.subset_seed},
            "flags": {
                "test_seen_during_training": bool(data.monitor_test),
                "oracle": bool(getattr(pl_module, "oracle", False)),
                "self_supervised": bool(getattr(pl_module, "self_supervised", False)),
            },
            "data": {
                "source": _kind(data, "source"),
                "profile": _kind(data, "profile"),
                "imbalance_ratio": getattr(getattr(data, "profile", None), "imbalance_ratio", None),
                "fingerprint": data.fingerprint,
                "added_images": _text(getattr(data, "added_images", None)),
                "unlabelled": getattr(data, "unlabelled_facts", None),
                "class_names": [str(name) for name in data.class_names],
                "class_counts": data.class_counts.tolist(),
                "groups": {name: list(members) for name, members in data.groups.items()},
                "group_rule": repr(getattr(data, "group_rule", None)),
            },
            "training": {
                "seconds": self._seconds if known_time else None,
                "epochs": epochs,
                "planned_epochs": self._planned,
                "steps": self._steps,
                "parameters": sum(size for size, _ in sizes),
                "trainable_parameters": sum(size for size, trained in sizes if trained),
            },
            "metrics": {"bins": module.test_stats.bins, "definitions": DEFINITIONS},
            "versions": environment.versions(),
            "hardware": environment.hardware(trainer),
        }


def _is_trial(trainer: Trainer) -> bool:
    """Return whether only a few batches are run, whose numbers say nothing."""
    return bool(getattr(trainer, "fast_dev_run", False))


def _left_out(trainer: Trainer) -> bool:
    """Return whether trainer.limit_test_batches kept test images out."""
    loader: Any = trainer.test_dataloaders
    return sum(trainer.num_test_batches) < len(loader)


def _kind(data: Any, part: str) -> str | None:
    """Return the class name of a part of the data module, or none where it has no such part."""
    found = getattr(data, part, None)
    return None if found is None else type(found).__name__


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _class_path(pl_module: LightningModule) -> str:
    return f"{type(pl_module).__module__}.{type(pl_module).__qualname__}"
