"""results.json and the figures of a run; the schema is described in `runs.results`."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from lt_lightning.callbacks import tested_checkpoint
from lt_lightning.callbacks.checkpoints import LastCheckpoint
from lt_lightning.callbacks.comparison import side_by_side
from lt_lightning.callbacks.outcome import Outcome, reported
from lt_lightning.callbacks.tested_weights import is_whole, tested_weights
from lt_lightning.callbacks.training_progress import Trained, TrainingProgress
from lt_lightning.engine.evaluated import EvaluatedModule
from lt_lightning.engine.multiply_adds import multiply_adds
from lt_lightning.figures.knob import knob_chart
from lt_lightning.runs import environment, launch
from lt_lightning.runs.about import about_run, about_training, results_so_far, sizes, with_training
from lt_lightning.runs.checkpoint import DATA_STATE
from lt_lightning.runs.evaluations import Conditions, chosen_by, merge, parts
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.finished import SIDE_BY_SIDE, reopen
from lt_lightning.runs.kept_training import keep
from lt_lightning.runs.reported import ReportedData
from lt_lightning.runs.results import read_results, write_results
from lt_lightning.trainer_parts import data_of, is_trial

__all__ = ["RunRecord", "read_results"]


class RunRecord(Callback):
    """Writes results.json and figures into the run folder after each test.

    A second test of the same run is added under `evaluations`, or replaces the one of the same
    conditions (see `runs.evaluations`); what is known of the training stays. A file of another run,
    or a damaged one, is refused before anything is trained or tested.

    Attributes to be set from outside:
        evaluation: the label of the next test, "last" or "best"; none takes the name of the
            checkpoint file, "last" without one.
        monitor: the metric that chose the best checkpoint; none asks the callbacks.
        command: the command line; none takes the one at work.
        tested: the checkpoint whose weights the model holds, and how far it was trained, where
            Lightning did not load it.
        tau_curve: macro accuracy at each value that a change after training was chosen from.
        fitted_on: the images that it was fitted on, if any.
        change: the change after training and its options, as they were asked for.
        fitted: its values by name, as they were given or fitted.
        own_test: fingerprint of the run's own test images, as its checkpoint has it.
    To be read: `pictures`, the PNG files of the last test by name, and `written`, the name that its
    evaluation got.

    Args:
        folder: the run folder; none is the trainer's default_root_dir.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder
        self.evaluation: str | None = None
        self.monitor: str | None = None
        self.command: list[str] | None = None
        self.tested: tuple[Path, Trained] | None = None
        self.tau_curve: dict[float, float] = {}
        self.fitted_on: str | None = None
        self.change: dict[str, Any] | None = None
        self.fitted: dict[str, float | list[float]] = {}
        self.own_test: str | None = None
        self.written = ""
        self.pictures: dict[str, bytes] = {}
        self._progress = TrainingProgress()
        self._written = False
        self._multiply_adds: int | None = None
        self._loaded: Trained | None = None
        self._outcomes: dict[str, Outcome] = {}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse early what could not be written at the end."""
        if stage not in ("fit", "test") or is_trial(trainer):
            return
        self._earlier(trainer, pl_module)
        self._loaded = None
        if stage == "fit":
            self._progress.begin()
            self._written = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._progress.start()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note that the run goes on, whose results so far are then of other weights."""
        if not self._progress.trained and trainer.is_global_zero and not is_trial(trainer):
            reopen(self._folder(trainer), trainer.global_step)
        self._progress.trained = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count the epoch, if it was not cut; Lightning counts it in any case."""
        self._progress.end_epoch(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop the clock."""
        self._progress.stop()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note how far the training went, if it went on at all."""
        self._progress.end(trainer)

    def state_dict(self) -> dict[str, float]:
        """Return the seconds of training so far."""
        return {"seconds": self._progress.elapsed()}

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep what a later test must tell of the training, whatever it is asked for itself."""
        data = data_of(trainer)
        if self._progress.trained and isinstance(data, ReportedData):
            so_far = self._progress.so_far(trainer, checkpoint)
            told = about_training(data, so_far, self.command or launch.command())
            if is_whole(trainer):  # else a process has a part of the weights
                told["training"] |= sizes(self._reported(trainer, pl_module)[0])
            keep(checkpoint, told)

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on from the seconds of the checkpoint.

        Lightning also calls this for the checkpoint of a test; after a fit in this process that
        checkpoint may be an early one, and the clock is right already.
        """
        if not self._progress.fitted:
            self._progress.seconds = float(state_dict["seconds"])

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note how far the checkpoint was trained, and the test images of its run."""
        self._loaded = Trained.of(checkpoint, trainer.ckpt_path)
        self.own_test = checkpoint.get(DATA_STATE, {}).get("test_fingerprint")

    def on_test_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        """Count once what an image costs; a module in shards computes as a whole alone."""
        whole = trainer.strategy.model is pl_module
        if self._multiply_adds is None and whole and not is_trial(trainer):
            module, _data = self._reported(trainer, pl_module)
            self._multiply_adds = multiply_adds(module, batch[0][:1])

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Sum the counts over all processes."""
        self.pictures = {}
        if not is_trial(trainer):
            self._outcomes = Outcome.all_of(*self._reported(trainer, pl_module))

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file and the figures, on the first process."""
        outcomes, self._outcomes = self._outcomes, {}
        if not outcomes or not trainer.is_global_zero:
            return
        outcomes[""].warn_of_overflow()
        earlier = self._earlier(trainer, pl_module)
        found: dict[str, Any] = {}
        if earlier is not None and (self._written or not self._progress.fitted):
            # What is tested next may be another network, as the first stage that a run began with.
            content, found = earlier, earlier["evaluations"]
        else:
            content = self._about_run(trainer, pl_module)
        label = self.label(trainer)
        _, data = self._reported(trainer, pl_module)
        conditions = self._conditions(trainer, data, content, outcomes[""])
        names = {}
        for variant, outcome in outcomes.items():
            name = f"{label}+{variant}" if variant else label
            about = self._checkpoint(trainer, pl_module, name, found)
            about |= tested_weights(trainer, pl_module, parts(name)[1])
            evaluation = {"checkpoint": about, **outcome.as_json(), **self._about_test(trainer)}
            evaluation["test"] = conditions.as_json()
            full = f"{name}{conditions.suffix}"
            names[variant], found = merge(found, full, evaluation, content["hardware"])
        folder = self._folder(trainer)
        write_results(folder, {**content, "evaluations": found})
        self.written = names[""]
        self._written = True
        self._draw(folder, names[""], outcomes[""], found, type(pl_module).__name__)

    def _about_test(self, trainer: Trainer) -> dict[str, Any]:
        """Return what was asked for, and where it was computed."""
        about: dict[str, Any] = {
            "command": self.command or launch.command(),
            "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "hardware": environment.hardware(trainer),
            "versions": environment.versions(),
        }
        if _left_out(trainer):
            about["part_of_test"] = True
        if self.change is not None:
            about["post_hoc"] = self.change
        if self.fitted:
            about["fitted"] = self.fitted
        if self.tau_curve and "+" in self.label(trainer):
            about["tau_curve"] = [list(point) for point in self.tau_curve.items()]
        return about

    def _conditions(
        self, trainer: Trainer, data: ReportedData, content: dict[str, Any], outcome: Outcome
    ) -> Conditions:
        folder = data.tested_root
        own = content["data"].get("test_fingerprint") or self.own_test
        return Conditions(
            fingerprint=data.tested_fingerprint,
            # That of a run of an earlier version is not known, but a named folder is another one.
            own=own or ("" if folder else None),
            folder=_text(folder),
            held_out=data.held_out_tested,
            images=outcome.images,
            part=_left_out(trainer),
            precision=str(trainer.precision),
        )

    def _draw(
        self, folder: Path, label: str, outcome: Outcome, evaluations: dict[str, Any], method: str
    ) -> None:
        from lt_lightning.figures.png import draw_chart, to_png

        title = f"{method}, {evaluations[label]['checkpoint']['chosen_by']}"
        found = {name: to_png(figure) for name, figure in outcome.figures(title).items()}
        if self.tau_curve and "+" in label:
            ((knob, value),) = self.fitted.items()
            assert isinstance(value, float), "a curve is that of one number"
            chart = knob_chart(self.tau_curve, value, knob, str(self.fitted_on))
            found["tau_curve"] = to_png(draw_chart(chart))
        for name, content in found.items():
            write_whole(folder / f"{name}_{label}.png", content)
        beside = side_by_side(evaluations, method)
        if beside is not None:
            found[SIDE_BY_SIDE] = to_png(beside)
            write_whole(folder / f"{SIDE_BY_SIDE}.png", found[SIDE_BY_SIDE])
        self.pictures = found

    def _reported(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> tuple[EvaluatedModule, ReportedData]:
        return reported(trainer, pl_module, type(self).__name__)

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
        module, data = self._reported(trainer, pl_module)
        command = self.command or launch.command()
        return results_so_far(self._folder(trainer), module, data, command)

    def _source(self, trainer: Trainer) -> tuple[str | Path | None, Trained | None]:
        """Return the checkpoint whose weights are tested, and what it tells; none for none."""
        if self.tested is not None and not trainer.ckpt_path:
            return self.tested
        return trainer.ckpt_path, self._loaded

    def _checkpoint(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        label: str,
        evaluations: dict[str, Any],
    ) -> dict[str, Any]:
        """Return which weights were tested and how they were chosen."""
        source, loaded = self._source(trainer)
        path = tested_checkpoint.place(source, self._folder(trainer))
        epoch = None if loaded is None else loaded.epoch
        if path is None and self._progress.epochs is not None:
            epoch = self._progress.last_epoch
        weights, change, _ = parts(label)
        past = tested_checkpoint.past_behind(loaded, *self._reported(trainer, pl_module))
        best = ""
        if weights == "best":
            earlier = evaluations.get("best", {}).get("checkpoint", {}).get("chosen_by")
            best = tested_checkpoint.best_choice(trainer, self.monitor, past, earlier)
        told = chosen_by(weights, change, best, self.fitted_on, past)
        return {"path": path, "epoch": epoch, "chosen_by": told}

    def _about_run(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return everything but the evaluations."""
        module, data = self._reported(trainer, pl_module)
        known, progress = None, self._progress
        if not progress.fitted:
            source = self._source(trainer)
            known = tested_checkpoint.of_training(self._folder(trainer), *source, progress.ended)
        training = progress.training(trainer, known)
        past = tested_checkpoint.past_behind(known, module, data)
        content = about_run(module, data, training, past, self.command or launch.command())
        content = with_training(content, {} if known is None else known.told)
        if self._multiply_adds is not None:
            content["training"]["multiply_adds"] = self._multiply_adds
        for last in (c for c in trainer.checkpoint_callbacks if isinstance(c, LastCheckpoint)):
            if last.save_seconds is not None:
                content["training"]["save_seconds"] = last.save_seconds
        own = data.test_fingerprint if self._progress.fitted else self.own_test
        if own is not None:
            content["data"]["test_fingerprint"] = own
        return content


def _left_out(trainer: Trainer) -> bool:
    """Return whether trainer.limit_test_batches kept test images out."""
    loader: Any = trainer.test_dataloaders
    return sum(trainer.num_test_batches) < len(loader)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
