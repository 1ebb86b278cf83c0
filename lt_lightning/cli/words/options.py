"""Groups of options beside model, data and trainer."""

from typing import Literal

from lightning.pytorch.cli import LightningArgumentParser

from lt_lightning.post_hoc import PostHoc


class CheckpointOptions:
    """What is saved beside checkpoints/last.ckpt.

    Args:
        monitor: the metric that chooses best.ckpt, where there is a validation split.
        mode: whether more or less of it is better.
        every_n_steps: save last.ckpt in mid-epoch too, every so many steps.
    """

    def __init__(
        self,
        monitor: str = "val/acc_macro",
        mode: Literal["max", "min"] = "max",
        every_n_steps: int | None = None,
    ) -> None:
        self.monitor, self.mode, self.every_n_steps = monitor, mode, every_n_steps


class PretrainOptions:
    """A run of its own before the run, whose backbone this one begins with.

    It sees the same images, on the same devices, and lies in the folder `pretrain` of the run. A
    run that is given model.backbone_init needs none.

    Args:
        config: the file of its method, such as ssp_rotation.yaml; looked for from here, then beside
            the files of --config. Backbone, source, subset and seed are those of the run.
        options: more options for it, in one text: "trainer.max_epochs=100 data.batch_size=256".
    """

    def __init__(self, config: str | None = None, options: str | None = None) -> None:
        self.config, self.options = config, options


TestOn = Literal["test", "held_out"]


def add_run_options(parser: LightningArgumentParser, command: str) -> None:
    """Add what is neither model, data nor trainer: the run's place, checkpoints, and changes.

    Args:
        parser: of the command.
        command: fit, validate or test.
    """
    parser.add_argument("--runs", default="runs", help="Folder of all runs.")
    named = [
        ("--name", "Name of the run; by default its config files' names."),
        ("--version", "Version of the run; by default the next free number."),
    ]
    if command == "test":
        saved = "Name of a new run that has the post_hoc change, beside this one."
        named.append(("--save_as", saved))
    for option, text in named:
        parser.add_argument(option, type=str | None, default=None, help=text)
    if command != "validate":
        tested = "What is tested: the test split, or the held-out images in its place."
        parser.add_argument("--test_on", type=TestOn, default="test", help=tested)
    parser.add_class_arguments(CheckpointOptions, "checkpoint")
    parser.add_class_arguments(PretrainOptions, "pretrain")
    parser.add_subclass_arguments(
        PostHoc, "post_hoc", required=False, help="Change without training, tested beside the run."
    )
