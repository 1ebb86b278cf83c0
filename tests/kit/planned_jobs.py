"""Plans of sweeps whose configs are made up."""

from pathlib import Path
from typing import Any

from lt_lightning.sweep.job import Job
from lt_lightning.sweep.plan import plan
from lt_lightning.sweep.spec import groups_of

ROOT = Path("runs/s")
_STAGE1 = {
    "mixing": None, "backbone": "r32", "head": "linear", "loss": "ce", "optimizer": "sgd",
    "lr_schedule": "cosine", "backbone_init": None, "channels_last": True, "compile": False,
}  # fmt: skip
_ONE = {
    "mixing_schedule": None,
    "deferred_weights": None,
    "deferred_loss": None,
    "tuning": None,
    "head_start": "random",
}
_TWO = {"stage1_epochs": 30, "stage2_epochs": 10, "stage1_ckpt": None}
TRAINER = {"max_epochs": 30, "max_steps": -1, "max_time": None}
DATA = {"batch_size": 64, "sampler": "instance", "samplers": None}


def config_of(of: str) -> dict[str, Any]:
    """Return what `lt fit --print_config` would say of a config."""
    model = {"class_path": "lt_lightning.methods.ERM", "init_args": {**_STAGE1, **_ONE}}
    found: dict[str, Any] = {"trainer": TRAINER, "model": model, "data": DATA, "pretrain": {}}
    if of in ("crt", "lws", "dis_align"):
        model["class_path"] = "lt_lightning.methods.Decoupled"
        model["init_args"] = {**_STAGE1, **_TWO, "loss": "ldam" if of == "dis_align" else "ce"}
        found["data"] = {**DATA, "sampler": None, "samplers": {"stage1": "instance"}}
        found["trainer"] = {**TRAINER, "max_epochs": None}
    if of == "ce_drw":
        model["init_args"] = {**_STAGE1, **_ONE, "deferred_weights": "effective"}
    if of.startswith("ssp"):
        found["pretrain"] = {"config": "ssp_rotation.yaml", "options": None}
        model["init_args"] = {**_STAGE1, **_ONE, "loss": of}
    return found


def jobs_of(content: dict[str, Any], **begun: tuple[str, ...]) -> list[Job]:
    """Return the plan where the runs of some rows have begun, with the words that they took."""
    groups = groups_of(content)
    return plan(groups, ROOT, lambda words: config_of(words[1]), lambda job, _: begun.get(job.name))


def planned(rows: list[Any], **more: Any) -> dict[str, Any]:
    """Return the jobs of a plan of `rows` by their ids."""
    return {job.id: job for job in jobs_of({"rows": rows, **more})}
