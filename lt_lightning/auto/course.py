"""The course: one step after the other, none that cannot end in time, and all of it goes on."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lt_lightning.auto import told
from lt_lightning.auto.budget import Speed, needed, plan
from lt_lightning.auto.choice import Choice, choose, score
from lt_lightning.auto.kept import BEGUN, CHOSEN, DONE, FAILED, LEFT_OUT
from lt_lightning.auto.record import FILE_NAME, Record, StepRecord, last_sign
from lt_lightning.auto.steps import BASELINE, SIMPLEST_FIRST, STEPS, Step
from lt_lightning.auto.works import LOG, Works
from lt_lightning.errors import Refused, UserError, one_sentence
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import leftovers, lock
from lt_lightning.runs.checkpoint import read, whole_epochs
from lt_lightning.runs.config import began_with
from lt_lightning.runs.results import FILE_NAME as RESULTS
from lt_lightning.runs.results import read_results
from lt_lightning.runs.signals import Stopped

REPORT = "report.html"
_NO_RUN = (FILE_NAME, LOG, lock.LOCK)  # what a course has before its first run
_TRIES = 3  # a step in which the process died so often is not begun again


@dataclass
class Course:
    """What `lt auto` does in its folder.

    Args:
        folder: of the course, which no other command uses meanwhile.
        record: of it.
        given: configs and options that lie over those of every step.
        most: epochs of the baseline at most.
        test_share: images of the test split for each training image.
        works: what runs a command.
        clock: seconds since 1970.
    """

    folder: Path
    record: Record
    given: Sequence[str]
    most: int
    test_share: float
    works: Works
    clock: Callable[[], float] = time.time

    def go(self, began: float | None = None) -> None:
        """Do what is left, choose, test once, and tell.

        Args:
            began: when the command began, by the clock; none is now.

        Raises:
            UserError: if there is no time for a baseline, or it failed.
        """
        began = self.clock() if began is None else began
        self.record.begin(began, last_sign(self.folder))
        self._write()
        try:
            if self.record.chosen is None:
                self._baseline()
                for step in STEPS[1:]:
                    self._step(step)
                self._choose()
            self._close()
        finally:
            self.record.stop(self.clock())
            self._write()
            self._give_back()

    def _give_back(self) -> None:
        """Remove a folder without a run: a command that was refused would keep its name."""
        if leftovers.forget(self.folder, _NO_RUN):
            with suppress(OSError):
                self.folder.parent.rmdir()

    @property
    def _left(self) -> float:
        return 60 * self.record.minutes - self.record.spent(self.clock())

    @property
    def _speed(self) -> Speed:
        """What was measured; before there is a change it is taken to be as slow as a training."""
        known = self.record
        change = known.change_seconds or known.around_seconds
        ending = change + known.around_seconds + self.test_share * known.epoch_seconds
        return Speed(known.epoch_seconds, known.around_seconds, change, ending)

    def _write(self) -> None:
        self.record.write(self.folder)

    def run_of(self, name: str) -> Path | None:
        """Return the newest run folder of a step that has results."""
        found = [
            run for run in run_folder.versions(self.folder / name) if (run / RESULTS).is_file()
        ]
        return found[-1] if found else None

    def _baseline(self) -> None:
        """Measure one epoch, plan, and train the rest.

        Raises:
            UserError: if not even a short baseline ends in time, or it failed.
        """
        known = self.record.step(BASELINE.name)
        if known.status == DONE:
            return
        if not self.record.epochs:
            if not self.record.epoch_seconds:
                self._measure()
            done = self._epochs_behind(BASELINE)
            self.record.epochs = plan(self._speed, self._left, self.most, done)
            if not self.record.epochs:
                raise UserError(self._too_short(needed(self._speed, self.most, done)))
            self._write()
        behind = self._epochs_behind(BASELINE)
        seconds = self._speed.seconds(BASELINE, self.record.epochs, behind)
        if seconds + self._speed.ending > self._left:
            raise UserError(self._too_short(seconds + self._speed.ending))
        self.works.say(
            told.plan(self.record.epochs, self._speed.seconds(BASELINE, self.record.epochs))
        )
        self._try(BASELINE)
        if known.status != DONE:
            why, known.status = known.why, BEGUN
            raise UserError(f"The baseline failed, without which there is nothing to choose: {why}")

    def _measure(self) -> None:
        """Train the first epoch of the baseline, which goes on from there."""
        began, known = self.clock(), self.record.step(BASELINE.name)
        self.works.prepare()
        goes_on, ready = self._epochs_behind(BASELINE) > 0, self.clock()
        cut = told.duration(self._left)
        words = BASELINE.command(self.folder, self.given, Path(), 1)
        self.works.lt([*words, f"--trainer.max_time={cut}"])
        known.seconds += self.clock() - began
        run = self.run_of(BASELINE.name)
        assert run is not None, "a training has results, also one that was cut"
        training = read_results(run)["training"]
        if not training.get("steps"):
            raise UserError(
                f"Not one step was trained in {told.minutes(self.clock() - began)}: give more "
                f"--minutes than {self.record.minutes:g}."
            )
        self.record.epoch_seconds = training["seconds"] / _epochs_in(run)
        trained = 0.0 if goes_on else training["seconds"]
        self.record.around_seconds = max(self.clock() - ready - trained, 0.0)

    def _too_short(self, seconds: float) -> str:
        spent = self.record.spent(self.clock())
        return (
            f"--minutes {self.record.minutes:g} is too short: an epoch takes "
            f"{self.record.epoch_seconds:.1f} s, {told.minutes(spent)} are spent, and a baseline "
            f"needs about {told.minutes(seconds)} more: give --minutes "
            f"{told.rounded_up(spent + seconds)}, and what was done is gone on with."
        )

    def _epochs_behind(self, step: Step) -> int:
        """Return the epochs of a training that was begun, as its last checkpoint has them."""
        for run in reversed(run_folder.versions(self.folder / step.name)):
            checkpoint = run_folder.checkpoint_of(run)
            if checkpoint is not None:
                with suppress(UserError):  # a damaged one is told of where it is gone on from
                    return whole_epochs(read(checkpoint))
        return 0

    def _step(self, step: Step) -> None:
        """Run a step, where there is time for it and it did not end before."""
        known = self.record.step(step.name)
        if known.status in (DONE, FAILED):
            return
        behind = 0 if step.config is None else self._epochs_behind(step)
        if behind != known.behind:  # it gets on, however often the process died before
            known.behind, known.begun = behind, 0
        seconds = self._speed.seconds(step, self.record.epochs, behind)
        if known.begun >= _TRIES:
            self._note(step, FAILED, f"the process ended in it {known.begun} times")
        elif seconds + self._speed.ending > self._left:
            left = told.minutes(max(self._left - self._speed.ending, 0))
            why = f"it takes about {told.minutes(seconds)}, and {left} are left for it"
            self._note(step, LEFT_OUT, why)
        else:
            self._try(step)

    def _note(self, step: Step, status: str, why: str) -> None:
        known = self.record.step(step.name)
        known.status, known.why = status, why
        self._write()
        self.works.say(told.line(step, known))

    def _try(self, step: Step) -> None:
        """Run a step; where it fails, say so and go on."""
        known, began = self.record.step(step.name), self.clock()
        known.status, known.begun = BEGUN, known.begun + 1
        self._write()
        try:
            if step.config is not None or self.run_of(step.name) is None:
                self._run(step)
            found = self.run_of(step.name)
            assert found is not None, f"{step.name} has left no run"
            self._look(found, known)
        except Refused as refused:
            known.status, known.why = FAILED, refused.sentence
        except (Stopped, KeyboardInterrupt):
            known.begun -= 1  # the user has ended it: the process did not die
            raise
        except Exception as error:  # whatever it is, the steps after it are none the worse
            known.status, known.why = FAILED, one_sentence(str(error) or type(error).__name__)[:300]
        else:
            known.status, known.why = DONE, None
            self._learn(step, found, self.clock() - began)
        finally:
            known.seconds += self.clock() - began
        self._write()
        self.works.say(told.line(step, known))

    def _run(self, step: Step) -> None:
        baseline = self.run_of(BASELINE.name) or self.folder / BASELINE.name
        self.works.lt(step.command(self.folder, self.given, baseline, self.record.epochs))

    def _look(self, run: Path, known: StepRecord) -> None:
        """Note what a run makes of the held-out images."""
        found = self.works.held_out(run)
        if self.record.labels and found.labels != self.record.labels:
            raise UserError("its held-out images are not those of the baseline.")
        self.record.labels, self.record.class_names = found.labels, found.class_names
        macro = score(found.right, found.labels)
        known.macro, known.sd, known.right = macro.mean, macro.sd, found.right
        known.run = run.relative_to(self.folder).as_posix()

    def _learn(self, step: Step, run: Path, seconds: float) -> None:
        """Take over what a step took, for the estimates of those after it."""
        if step.config is None:
            self.record.change_seconds = seconds
        elif step is BASELINE:
            seconds_of = read_results(run)["training"]["seconds"]
            self.record.epoch_seconds = seconds_of / _epochs_in(run)

    def _candidates(self) -> dict[str, str]:
        return {name: step.right for name, step in self.record.steps.items() if step.status == DONE}

    @property
    def _choice(self) -> Choice:
        return choose(self._candidates(), self.record.labels, SIMPLEST_FIRST)

    def _choose(self) -> None:
        """Choose, calibrate on the held-out images, and test on the test split, once."""
        name = self._choice.name
        if self.run_of(CHOSEN) is None:
            run = self.folder / str(self.record.steps[name].run)
            self._save(["test", str(run), f"--save_as={CHOSEN}"])
        found = self.run_of(CHOSEN)
        assert found is not None, "a saved run has results"
        ((label, tested),) = read_results(found)["evaluations"].items()
        self.record.chosen = {
            "step": name,
            "run": found.relative_to(self.folder).as_posix(),
            "evaluation": label,
            "fitted": tested.get("fitted", {}),
            "images": tested["images"],
            **{key: tested["overall"].get(key) for key in ("acc", "acc_macro", "ece")},
        }
        self._write()

    def _save(self, words: list[str]) -> None:
        """Save the chosen run with its temperature; with none where it cannot be fitted."""
        calibrated = [*words, "--post_hoc=TemperatureScaling"]
        try:
            self.works.lt(calibrated)
        except UserError as error:
            self.works.say(f"not calibrated: {error}")
            self.works.lt([*calibrated, "--post_hoc.temperature=1.0"])

    def _close(self) -> None:
        """Write the page and tell what was chosen."""
        page = self.folder / REPORT
        if not page.is_file():
            fitted = [self.run_of(step.name) for step in STEPS if step.config is not None]
            runs = [run for run in (*fitted, self.run_of(CHOSEN)) if run is not None]
            self.works.report(runs, page)
        spent = self.record.spent(self.clock())
        for line in told.end(self.record, self._choice, self.folder / CHOSEN, page, spent):
            self.works.say(line)


def _epochs_in(run: Path) -> float:
    """Return the epochs of a training, in parts where it was cut in the first one."""
    content = read_results(run)
    training = content["training"]
    if training["epochs"]:
        return float(training["epochs"])
    seen = training["steps"] * began_with(run)["data"]["batch_size"]
    return float(min(seen / max(sum(content["data"]["class_counts"]), 1), 1.0))
