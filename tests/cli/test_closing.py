"""The last words of a run, and the table of the groups in a terminal."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console
from rich.progress import Progress

from lt_lightning.callbacks.group_table import GroupTable
from lt_lightning.callbacks.progress import StageBar
from lt_lightning.cli.words.closing import closing
from lt_lightning.data import LongTailDataModule


def shown(*renderables):
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(*renderables)
    return console.file.getvalue()


def test_five_lines_name_the_paths(tmp_path):
    for name in ("accuracy_last.png", "reliability_last.png", "checkpoints/last.ckpt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    lines = closing(tmp_path).splitlines()
    assert lines == [
        f"Figures and all numbers: {tmp_path}",
        f"  numbers  {tmp_path}/results.json; over the epochs: metrics.csv",
        "  figures  accuracy_last.png, reliability_last.png",
        "  weights  checkpoints/last.ckpt",
        f"  page     lt report {tmp_path} --out {tmp_path}/report.html",
    ]
    (tmp_path / "wandb" / "offline-run-1").mkdir(parents=True)
    assert (
        closing(tmp_path)
        .splitlines()[4]
        .endswith(f"W&B: wandb sync {tmp_path}/wandb/offline-run-*")
    )


def test_the_table_holds_the_newest_and_the_best_epoch():
    table = GroupTable({"many": [0, 1], "few": [2]})
    assert table.table() is None
    for epoch, macro in enumerate((0.5, 0.75, 0.625)):
        values = {"acc": 0.9, "acc_macro": macro, "acc_many": 0.8, "ece": 0.1}
        table.add(epoch, {f"val/{name}": value for name, value in values.items()})
    lines = [line.split() for line in shown(table.table()).splitlines() if line.strip()]
    assert " ".join(lines[0]) == "accuracy in % on held-out images"
    assert lines[1] == "epoch all macro many (2 classes) ECE".split()  # no image of a few class
    assert lines[3] == ["3", "90.0", "62.5", "80.0", "10.0"]
    assert lines[4] == ["2,", "best", "macro", "90.0", "75.0", "80.0", "10.0"]


def test_images_of_the_test_split_are_named():
    assert "on TEST images" in GroupTable({}, on_test=True).title


@pytest.mark.parametrize("epoch", [0, 3])
def test_the_table_stands_below_the_bar(monkeypatch, epoch):
    """Trap: Lightning makes its display in a private method, which must be there."""
    bar = StageBar()

    def begin(self, trainer):
        self.progress = Progress(console=Console(file=io.StringIO()))
        self.progress.add_task("Epoch", total=3)

    monkeypatch.setattr("lightning.pytorch.callbacks.RichProgressBar._init_progress", begin)
    monkeypatch.setattr("lightning.pytorch.callbacks.RichProgressBar.on_validation_end",
                        lambda *_: None)  # fmt: skip
    data = LongTailDataModule(group_rule=lambda counts: {"few": [0]})
    trainer = SimpleNamespace(
        current_epoch=epoch, datamodule=data, sanity_checking=True, testing=False,
        callback_metrics={"val/acc": 0.5, "val/acc_few": 0.25},
    )  # fmt: skip
    bar._init_progress(trainer)
    bar.on_validation_end(trainer, None)
    assert "few" not in shown(bar.progress.get_renderable())
    trainer.sanity_checking = False
    bar.on_validation_end(trainer, None)
    text = shown(bar.progress.get_renderable())
    assert "few (1 class)" in text
    assert f"{epoch + 1}, best macro" in text
    assert "25.0" in text
    assert text.index("Epoch") < text.index("few (1 class)")
