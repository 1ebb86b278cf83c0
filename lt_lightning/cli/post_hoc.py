"""Applying a post-hoc change to the weights of a checkpoint, ready to be tested, and saving it."""

import shutil
from pathlib import Path
from typing import Any

import torch

from lt_lightning.callbacks import RunRecord
from lt_lightning.callbacks.training_progress import Trained
from lt_lightning.cli.words.parser import LTParser
from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.changes import check_added, kept_changes, names_of
from lt_lightning.engine.seen_data import check_same
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc import PostHoc
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs import fitted
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.about import training_in
from lt_lightning.runs.checkpoint import CHANGES, DATA_STATE, TRAINED_EPOCHS
from lt_lightning.runs.config import began_with
from lt_lightning.runs.evaluations import without_digest
from lt_lightning.runs.files import whole_folder
from lt_lightning.runs.kept_training import keep
from lt_lightning.runs.metrics_file import FILE_NAME as METRICS_FILE
from lt_lightning.runs.past import keep_choice, past_of
from lt_lightning.runs.results import read_results, write_results
from lt_lightning.runs.yaml_file import yaml_text

_KEPT = ("state_dict", "hyper_parameters", "epoch", "global_step", "pytorch-lightning_version")


def parsed(words: list[str], prog: str) -> PostHoc | None:
    """Return the change that `--post_hoc NAME --post_hoc.tau 1` asks for, if any."""
    parser = LTParser(prog=prog, default_env=False)
    parser.add_subclass_arguments(PostHoc, "post_hoc", required=False)
    found: PostHoc | None = parser.instantiate_classes(parser.parse_args(words)).get("post_hoc")
    return found


def change_model(
    change: PostHoc | None,
    model: LongTailModule,
    data: LongTailDataModule,
    checkpoint: Path,
    device: torch.device,
    record: RunRecord,
) -> dict[str, Any]:
    """Put the weights of `checkpoint` into `model`, change it, and tell `record` so.

    Returns:
        What a checkpoint of the changed model holds.

    Raises:
        UserError: if the change does not go with the model, or with what was changed already, or
            if the images are others, or look otherwise, than those of the training.
    """
    content = checkpoint_file.read(checkpoint)
    if change is not None:
        check_added(content, checkpoint, change)
    data.prepare_data()
    data.setup("test")
    check_same(content, data)  # Lightning asks the model so where it loads the weights
    model.take(content)
    model.to(device, torch.float32)  # from a training in half precision
    names, kept = names_of(content), kept_changes(content)
    if change is not None:
        options = record.change = change.options()  # before what is fitted takes the place of none
        values = {name: value.cpu() for name, value in change.apply(model, data).items()}
        names.append(change.describe())
        kept.append(
            {
                "name": names[-1],
                "class_path": f"{type(change).__module__}.{type(change).__qualname__}",
                "init_args": {key: value for key, value in options.items() if key != "class"},
                "values": values,
            }
        )
        record.fitted, record.tau_curve = fitted.as_json(values), dict(change.curve)
        record.fitted_on = change.fitted_on
    record.evaluation = "+".join([checkpoint.stem, *names])
    record.tested = (checkpoint, Trained.of(content, checkpoint))
    record.own_test = content.get(DATA_STATE, {}).get("test_fingerprint")
    past = past_of(content, checkpoint)  # of an earlier version, it is lost with the folder
    changed = {**{key: content[key] for key in (*_KEPT, DATA_STATE)}, CHANGES: kept}
    if past is not None:
        past.keep(changed)
        keep_choice(changed, past.chosen_by)
    return changed


def new_run(folder: Path, name: str) -> Path:
    """Return the folder that a run saved as `name` gets, beside the run `folder`.

    Raises:
        Refused: if it is no name of a folder.
    """
    root = folder.resolve().parent.parent
    run_folder.check_names(str(root), name, None)
    return run_folder.free_number(root / name)


def save(content: dict[str, Any], folder: Path, new: Path, label: str) -> None:
    """Write a run of its own: the weights with their change, the config, and the test.

    Args:
        content: of its checkpoint.
        folder: the run that was changed and tested.
        new: the folder of the new one.
        label: its evaluation.

    Raises:
        UserError: if the disk refuses it.
    """
    again = "test the run with --save_as again"
    results = read_results(folder)
    evaluation = results["evaluations"][label]
    evaluation["checkpoint"] = {**evaluation["checkpoint"], "path": "checkpoints/last.ckpt"}
    keep(content, training_in(results))
    content[TRAINED_EPOCHS] = results["training"]["epochs"]
    with whole_folder(new, again) as aside:
        (aside / "checkpoints").mkdir()
        torch.save(content, aside / "checkpoints" / "last.ckpt")
        config = {**began_with(folder), "name": new.parent.name, "post_hoc": None}
        (aside / "config.yaml").write_text(yaml_text(config), "utf-8")
        if (folder / METRICS_FILE).is_file():
            shutil.copyfile(folder / METRICS_FILE, aside / METRICS_FILE)
        alone = without_digest(label, evaluation)  # of those beside it nothing is saved
        write_results(aside, {**results, "evaluations": {alone: evaluation}})
