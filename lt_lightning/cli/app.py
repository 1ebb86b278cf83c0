"""LightningCLI with the house's rules: links, run folder, checkpoints, the test at the end."""

import logging
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import Callback, WeightAveraging
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from lt_lightning.backbones import without_weights
from lt_lightning.callbacks.epoch_metrics import EpochMetrics
from lt_lightning.callbacks.save_config import SaveConfig
from lt_lightning.cli import checks, post_hoc, pretraining, resuming, staged, where
from lt_lightning.cli.follow_backbone import follow_backbone
from lt_lightning.cli.watchers import Watchers
from lt_lightning.cli.words import namesakes, outside
from lt_lightning.cli.words.closing import closing
from lt_lightning.cli.words.options import add_run_options
from lt_lightning.cli.words.parser import LTParser
from lt_lightning.cli.words.validated import validated
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.reading import read_as
from lt_lightning.engine.float32 import PRECISION
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc import PostHoc
from lt_lightning.report import load_rows, render
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import fits, meeting
from lt_lightning.trainer_parts import is_trial

log = logging.getLogger("lt_lightning")


class LTCLI(LightningCLI):
    """`lt fit | validate | test`."""

    datamodule: LongTailDataModule
    model: LongTailModule
    trainer: L.Trainer

    def __init__(
        self,
        argv: list[str],
        run: Path | None = None,
        answer: bool = True,
        command: list[str] | None = None,
    ) -> None:
        self.argv, self.folder, self.answer, self.command = argv, run, answer, command
        self.resume: Path | None = None
        self.resumed: tuple[int, int] | None = None  # the steps and whole epochs of its checkpoint
        self.doubtful = outside.take(argv)
        super().__init__(
            LongTailModule,
            LongTailDataModule,
            save_config_callback=None,
            seed_everything_default=0,
            parser_class=LTParser,
            subclass_mode_model=True,
            auto_configure_optimizers=False,
            parser_kwargs={"default_env": False},
            trainer_defaults={"enable_model_summary": False},
            args=argv,
        )

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]  # Lightning's is static
        """Return the one command that is asked for: each parser takes a while to build."""
        skip = {"model", "dataloaders", "datamodule"}
        known = {
            "fit": {"model", "train_dataloaders", "val_dataloaders", "datamodule", "weights_only"},
            "validate": skip | {"weights_only"},
            "test": skip | {"weights_only"},
        }
        return {self.argv[0]: known[self.argv[0]]}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Link what the model knows of the data, and add the options of the run."""
        assert isinstance(parser, LTParser)
        parser.counts_before_shares()
        for name in checks.LINKED:
            parser.link_arguments(
                f"data.{name}", f"model.init_args.{name}", _plain, apply_on="instantiate"
            )
        add_run_options(parser, self.argv[0])

    def _parse_ckpt_path(self) -> None:
        """Leave the config as it is: Lightning would let the checkpoint's values win over it."""

    @property
    def options(self) -> Any:
        """The config of the subcommand."""
        return self.config[self.config.subcommand]

    def before_instantiate_classes(self) -> None:
        """Choose the run folder and the precision, and look into the checkpoint."""
        options = self.options
        parser = self._parser(self.config.subcommand)
        assert isinstance(parser, LTParser)
        parser.check_values(options)
        namesakes.check(self.argv, options, self.doubtful)
        staged.settle(self.config.subcommand, options)
        checks.check_options(self.config.subcommand, options)
        self.asked_precision = options.trainer.precision
        if self.config.subcommand != "fit":
            options.trainer.precision = self.asked_precision or PRECISION
        if self.config.subcommand == "fit":
            pretraining.check(options)
            follow_backbone(options)
            self._choose_folder()
            staged.find_runs(options, self.resume is not None)
        elif options.get("ckpt_path") is not None:
            self.resume = Path(options.ckpt_path)
        goes_on = self.config.subcommand == "fit" and self.resume is not None
        resuming.settle_precision(options.trainer, self.folder if goes_on else None)

    def _choose_folder(self) -> None:
        self.folder, self.resume = where.choose(self.options, self.argv, self.folder)

    def instantiate_classes(self) -> None:
        """Build data, model and trainer, after a look into the checkpoint."""
        goes_on = self.config.subcommand == "fit"
        content = checkpoint_file.read(self.resume, goes_on) if self.resume else None
        self.was_changed = bool(content and content.get(checkpoint_file.CHANGES))
        if content is not None and goes_on:
            self.resumed = int(content["global_step"]), checkpoint_file.whole_epochs(content)
        # A checkpoint brings its weights: nothing is fetched, and no file asked for.
        with ExitStack() as stack:
            if content is not None:
                stack.enter_context(without_weights())
                stack.enter_context(read_as(content.get(checkpoint_file.DATA_STATE) or {}))
            super().instantiate_classes()
        if self.options.get("test_on") == "held_out":
            self.datamodule.test_on_held_out()
        change = self._get(self.config_init, "post_hoc")
        checks.check_tested(self.config.subcommand, self.argv, change, self.datamodule)
        if content is not None:
            fits.check_fits(
                content,
                str(self.resume),
                self.options.model.class_path,
                self.datamodule.class_counts.tolist(),
            )
            fits.check_same(content, str(self.resume), self.model.hparams)
            if self.config.subcommand == "fit":
                asked = yaml.safe_load(self._parser("fit").dump(self.options, skip_none=False))
                resuming.check(self.folder, content, asked, change)

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        """Build the trainer with the house's callbacks and loggers."""
        checks.check_streams(self.datamodule, self.model)
        checks.check_sampler_is_used(self.datamodule, self.config.subcommand)
        checks.check_views(self.datamodule)
        if self.config.subcommand == "fit":
            checks.check_change(
                self._get(self.config_init, "post_hoc"), self.model, self.datamodule
            )
        checks.check_unlabelled(self.datamodule, self.model)
        checks.warn_of_double_compensation(
            self.datamodule, self.model, self.options.trainer.max_epochs or 1
        )
        self.model.tests_in_float32 = (
            self.config.subcommand == "fit" or self.asked_precision is None
        )
        assert self.folder is not None or self.config.subcommand != "fit"
        folder = self.folder or Path(self.options.runs)
        trainer = self._get(self.config_init, "trainer")
        fit = self.config.subcommand == "fit"
        given = _as_list(trainer.get("callbacks"))
        metrics, own = EpochMetrics(), self._callbacks(folder, fit)
        checks.check_callbacks(given, [metrics, *own])
        trainer["callbacks"] = [metrics, *given, *own]
        if fit and not trainer.get("fast_dev_run"):
            given = _as_list(trainer.get("logger"))
            trainer["logger"] = self.watchers.loggers(given, self.datamodule, self.resumed)
        else:
            trainer["logger"] = False
        trainer["default_root_dir"] = str(folder)
        if fit and not self.datamodule.has_validation:
            trainer["limit_val_batches"] = 0
        if not sys.stderr.isatty():
            trainer["enable_progress_bar"] = False
        made = super().instantiate_trainer(**kwargs)
        meeting.tell(made)
        return made

    def _callbacks(self, folder: Path, fit: bool) -> list[Callback]:
        watchers = self.watchers = Watchers(folder, self.command)
        self.record = watchers.record
        if not fit:
            return watchers.of_test()
        if self._get(self.config_init, "trainer").get("fast_dev_run"):
            return watchers.of_trial()
        save = SaveConfig(self._parser("fit"), self.options, folder)
        stages, validates = self.model.num_stages, self.datamodule.has_validation
        found = watchers.of_fit(save, self.options.checkpoint, stages=stages, validates=validates)
        return found

    def before_fit(self) -> None:
        """Pre-train the backbone first, where that is asked for."""
        found = pretraining.before(self)
        if found is not None:
            self.model.backbone_init = str(found)

    def dumped(self) -> str:
        """Return the config of the run as YAML."""
        return str(self._parser("fit").dump(self.options, skip_none=False))

    def fit_part(self, words: list[str], folder: Path, command: list[str]) -> bool:
        """Fit and test a part of the run in `folder`; return whether it came to its end."""
        return not LTCLI(words, run=folder, command=command).trainer.interrupted

    def seed_again(self) -> None:
        """Seed everything as the run asks for, after a part of it drew numbers."""
        self._set_seed()

    def after_fit(self) -> None:
        """Report on the test split: the last epoch, and what else the run has to be tested."""
        if is_trial(self.trainer) or self.trainer.interrupted:
            return
        assert self.folder is not None
        self.record.evaluation = "last"
        self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        if self.watchers.best is not None and not self.datamodule.held_out_tested:
            self._test_again("best", self.watchers.best.path)
        if staged.back_to_stage1(self.model, self.record):
            self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        self._test_again("stage1", self.folder / "checkpoints" / "stage1.ckpt")
        change = self._get(self.config_init, "post_hoc")
        if change is not None:
            self._change_by(change, self.folder / "checkpoints" / "last.ckpt")
            self.trainer.test(self.model, datamodule=self.datamodule, verbose=False)
        self._say_where()

    def before_test(self) -> None:
        """Apply a post-hoc change, fitted on held-out or training images where it has a knob."""
        change, name = self._get(self.config_init, "post_hoc"), self.options.save_as
        self.new_run: Path | None = None
        if name is not None:
            if change is None:
                raise UserError("--save_as saves a change: add --post_hoc NAME.")
            assert self.folder is not None
            self.new_run = post_hoc.new_run(self.folder, name)
        self._take_changed(change)

    def _take_changed(self, change: PostHoc | None) -> None:
        """Put weights that are changed, or were saved with a change, into the model."""
        if change is None and not self.was_changed:
            return
        assert self.resume is not None
        self._change_by(change, self.resume)
        command = self.config.subcommand
        self.config_init[command]["ckpt_path"] = None  # the weights are in the model, and changed

    def _change_by(self, change: PostHoc | None, checkpoint: Path) -> None:
        device, record = self.trainer.strategy.root_device, self.record
        self.changed = post_hoc.change_model(
            change, self.model, self.datamodule, checkpoint, device, record
        )

    def after_test(self) -> None:
        """Save the changed run, where asked, and close with the numbers of all tests."""
        if self.new_run is not None and self.trainer.is_global_zero:
            assert self.folder is not None
            post_hoc.save(self.changed, self.folder, self.new_run, self.record.written)
            log.info("The changed run is saved as %s.", self.new_run)
        self._say_where()

    def before_validate(self) -> None:
        """Refuse where there is nothing to validate on."""
        if not self.datamodule.has_validation:
            raise UserError(
                "The run has no validation split: train with --data.holdout.fraction 0.1, say, or "
                "use lt test."
            )
        self._take_changed(None)

    def after_validate(self) -> None:
        """Say the numbers of the validation split."""
        if self.trainer.is_global_zero:
            sys.stdout.write(validated(self.trainer, self.datamodule))

    def _test_again(self, label: str, checkpoint: Path) -> None:
        """Test other weights of the run, where there are any."""
        if not checkpoint.is_file():
            return
        self.record.evaluation = label
        trainer: Any = self.trainer
        callbacks = trainer.callbacks
        # It would put the weights that training goes on with in the place of the averaged ones.
        trainer.callbacks = [c for c in callbacks if not isinstance(c, WeightAveraging)]
        self.trainer.test(
            self.model,
            datamodule=self.datamodule,
            ckpt_path=checkpoint,
            verbose=False,
            weights_only=True,
        )
        trainer.callbacks = callbacks

    def _say_where(self) -> None:
        """Close with the numbers of the run and its folder."""
        assert self.folder is not None
        if self.answer and self.trainer.is_global_zero:
            sys.stdout.write(f"{render(load_rows([self.folder]))}\n{closing(self.folder)}")


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, torch.Tensor) else value


def _as_list(value: Any) -> list[Any]:
    several = list(value) if isinstance(value, list | tuple) else [value]
    return [] if value is None else several
