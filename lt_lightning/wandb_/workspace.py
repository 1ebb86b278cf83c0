"""The W&B workspace that shows all runs of a project side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.metrics.groups import SHOTS
from lt_lightning.metrics.names import (
    ACC,
    ACC_MACRO,
    ACC_WORST,
    ECE,
    LOSS,
    NLL,
    TEST,
    TRAIN,
    VAL,
    group_acc,
    logged,
    weight,
)
from lt_lightning.wandb_ import names

NAME = "Groups and classes"
EPOCH = "epoch"
_LABEL = "last"  # the test of the last epoch, which every run has
_GROUP = "JobType"  # what WandbRun sets to method and data set; a group may be a whole sweep
_ACCURACIES = {
    "all images": ACC,
    "mean over the classes": ACC_MACRO,
    "worst class": ACC_WORST,
}


def workspace(project: str, entity: str, groups: Sequence[str] = SHOTS) -> Any:
    """Return a `wandb_workspaces.workspaces.Workspace`; nothing is sent yet.

    Runs are grouped by method and data set, so that a line or a bar is a mean over seeds.

    Args:
        project: W&B project.
        entity: W&B user or team.
        groups: the groups of classes of its runs, from head to tail.

    Raises:
        UserError: if the package wandb-workspaces is not installed.
    """
    try:
        from wandb_workspaces import expr, workspaces
    except ImportError as error:
        raise UserError(
            "lt dashboard needs the package wandb-workspaces: pip install "
            "'lt_lightning[dashboard]'."
        ) from error
    shown = {f"the group {name}": group_acc(name) for name in groups} | _ACCURACIES
    rows = -(-len(shown) // 3)
    sections = [
        _section("Accuracy on held-out images", _curves(shown), columns=3, rows=rows),
        _section("Test of the last epoch", _bars(shown), columns=3, rows=rows),
        _section("Classes", _classes(), columns=2, rows=2),
        _section("Calibration", _calibration(), columns=2, rows=2),
        _section("Training and schedules", _schedules(groups), columns=3, rows=2),
    ]
    return workspaces.Workspace(
        entity=entity,
        project=project,
        name=NAME,
        sections=sections,
        settings=workspaces.WorkspaceSettings(x_axis=EPOCH, max_runs=20),
        runset_settings=workspaces.RunsetSettings(
            groupby=[expr.Metric(_GROUP)],
            pinned_columns=[f"summary:{logged(TEST, name)}" for name in shown.values()],
        ),
    )


def as_json(view: Any) -> str:
    """Return the workspace as the text that W&B keeps.

    This is the one place that uses a private name of wandb-workspaces.
    """
    text: str = view._to_model().spec.model_dump_json(by_alias=True, exclude_none=True, indent=1)
    return text


def _section(name: str, panels: list[Any], columns: int, rows: int) -> Any:
    from wandb_workspaces.workspaces import Section, SectionLayoutSettings

    layout = SectionLayoutSettings(columns=columns, rows=rows)
    return Section(name=name, panels=panels, is_open=True, layout_settings=layout)


def _line(title: str, metric: str, unit: str, **options: Any) -> Any:
    from wandb_workspaces.reports.v2 import LinePlot

    return LinePlot(
        title=title, x=EPOCH, y=[metric], title_x="epoch", title_y=unit, groupby=_GROUP,
        groupby_aggfunc="mean", groupby_rangefunc="stddev", max_runs_to_show=20, **options,
    )  # fmt: skip


def _bar(title: str, metric: str, unit: str) -> Any:
    from wandb_workspaces.reports.v2 import BarPlot

    return BarPlot(
        title=title, metrics=[metric], title_x=unit, groupby=_GROUP, groupby_aggfunc="mean",
        groupby_rangefunc="stddev", max_bars_to_show=20,
    )  # fmt: skip


def _chart(kind: str, table: str, fields: dict[str, str], title: str) -> Any:
    """Return one of W&B's own charts over a table that every run logs."""
    from wandb_workspaces.reports.v2 import CustomChart

    key = names.under(_LABEL, table)
    return CustomChart(
        query={"summaryTable": {"tableKey": key}},
        chart_name=kind,
        chart_fields=fields,
        chart_strings={"title": title},
    )


def _media(title: str, *items: str) -> Any:
    from wandb_workspaces.reports.v2 import MediaBrowser

    keys = [names.under(_LABEL, item) for item in items]
    return MediaBrowser(title=title, media_keys=keys, num_columns=2)


def _curves(shown: Mapping[str, str]) -> list[Any]:
    return [
        _line(f"Accuracy, {what}", logged(VAL, name), "accuracy", range_y=(0.0, 1.0))
        for what, name in shown.items()
    ]


def _bars(shown: Mapping[str, str]) -> list[Any]:
    return [
        _bar(f"Test accuracy, {what}", logged(TEST, name), "accuracy")
        for what, name in shown.items()
    ]


def _classes() -> list[Any]:
    fields = {"x": "training_images", "y": "accuracy"}
    title = "Test accuracy of each class over its training images"
    return [
        _chart("wandb/scatter/v0", names.PER_CLASS, fields, title),
        _media("Accuracy over training images", names.ACCURACY_FIGURE),
        _media("Confusion", names.CONFUSION_FIGURE),
        _media("Test images of the rarest classes", names.TAIL_IMAGES),
    ]


def _calibration() -> list[Any]:
    fields = {"x": "confidence", "y": "accuracy"}
    return [
        _chart("wandb/line/v0", names.RELIABILITY, fields, "Accuracy over confidence"),
        _media("Reliability", names.RELIABILITY_FIGURE),
        _bar("Expected calibration error of the test", logged(TEST, ECE), "ECE"),
        _line("Calibration error on held-out images", logged(VAL, ECE), "ECE"),
    ]


def _schedules(groups: Sequence[str]) -> list[Any]:
    weights = [
        _line(f"Class weight of the group {name}", weight(name), "mean weight")
        for name in groups[-1:]  # the tail
    ]
    return [
        _line("Training loss", logged(TRAIN, LOSS), "nats"),
        _line("Loss on held-out images", logged(VAL, NLL), "nats"),
        _line("Learning rate", logged(TRAIN, "lr"), "learning rate", log_y=True),
        *weights,
        _line("BBN's alpha", "alpha", "alpha"),
        _line("Stage", "stage", "stage"),
    ]
