"""Groups of options beside model, data and trainer."""

from typing import Literal


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
