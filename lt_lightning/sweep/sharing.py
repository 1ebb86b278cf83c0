"""What two runs train alike, so that it is trained once: a first stage, a pre-training."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lt_lightning import __version__
from lt_lightning.sweep.begun import LENGTH, NO_PRETRAINING
from lt_lightning.sweep.job import is_length

_METHODS = "lt_lightning.methods."
_ONE_STAGE = f"{_METHODS}ERM"
_MODEL = (
    "mixing", "backbone", "head", "loss", "optimizer", "lr_schedule", "backbone_init",
    "channels_last", "compile",
)  # fmt: skip
# Of ERM, what the first stage of a method in two stages has not.
_ONE_STAGE_ONLY = {
    "mixing_schedule": None,
    "deferred_weights": None,
    "deferred_loss": None,
    "tuning": None,
    "head_start": "random",
}
_OURS = ("lt_lightning.", "lightning.", "pytorch_lightning.")  # callbacks of which all is known
_ENDING = (".EarlyStopping", ".Timer")
_NOT_DATA = ("sampler", "samplers")
_LENGTH = ("max_epochs",)
_EACH_STAGE = (f"{LENGTH}null", "--model.stage1_epochs=1", "--model.stage2_epochs=1")


@dataclass(frozen=True)
class Trained:
    """What a config trains, as far as others can take it over.

    Attributes:
        stage1: stands for the whole first stage, or none where there is none to share.
        staged: whether a second one follows, so that `stage1_ckpt` is understood.
        pretraining: stands for a pre-training, or none.
        epochs: of the whole run, or none where the config does not tell.
        second: epochs of the second stage.
        grouped: whether its runs can be one group of Weights & Biases, and are in none yet.
        short: words that make one epoch of it, or one of each stage, without a pre-training.
        config: the full config itself.
    """

    stage1: str | None
    staged: bool
    pretraining: str | None
    epochs: int | None
    second: int | None = None
    grouped: bool = False
    short: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def costs(self, ratio: str) -> str:
        """Return what stands for all that an epoch at a ratio depends on, the version included."""
        told = _text({"config": self.config, "ratio": ratio, "version": __version__})
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def trained(config: Mapping[str, Any]) -> Trained:
    """Return what a full config, as `lt fit --print_config` writes it, trains."""
    model = config["model"]
    options: Mapping[str, Any] = model["init_args"]
    longest = config["trainer"]["max_epochs"]
    if options.get("stage1_ckpt") or options.get("backbone_init"):
        first = second = None
    elif "stage1_ckpt" in options:
        given = (options["stage1_epochs"], options["stage2_epochs"])
        first, second = (one if is_length(one) else None for one in given)
    else:
        first, second = longest, None
    staged = second is not None
    plain = model["class_path"] == _ONE_STAGE and all(
        options.get(key) == value for key, value in _ONE_STAGE_ONLY.items()
    )
    limits = config["trainer"]["max_steps"] >= 0 or config["trainer"]["max_time"] is not None
    alone = not limits and not _may_end(config["trainer"].get("callbacks"))
    whole = first + second if staged and first is not None and second is not None else None
    length = longest or whole
    return Trained(
        stage1=_stage1(config, first) if first and alone and (staged or plain) else None,
        staged=staged,
        pretraining=_pretraining(config),
        epochs=length if is_length(length) else None,
        second=second,
        grouped=_can_be_grouped(config["trainer"].get("logger")),
        short=_short(config),
        config=config,
    )


def _may_end(callbacks: Any) -> bool:
    """Return whether a callback may end a training before its length: what others wrote may."""
    listed = callbacks if isinstance(callbacks, list) else [callbacks]
    paths = [one.get("class_path") if isinstance(one, Mapping) else one for one in listed if one]
    known = [str(path).startswith(_OURS) and not str(path).endswith(_ENDING) for path in paths]
    return not all(known)


def _short(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words that make one epoch of a config."""
    staged = "stage1_ckpt" in config["model"]["init_args"]
    found = _EACH_STAGE if staged else (f"{LENGTH}1",)
    return (*found, *NO_PRETRAINING) if (config.get("pretrain") or {}).get("config") else found


def _can_be_grouped(logger: Any) -> bool:
    """Return whether a logger is the one of W&B, without a group."""
    if not isinstance(logger, Mapping) or not str(logger.get("class_path")).endswith("WandbRun"):
        return False
    return (logger.get("init_args") or {}).get("group") is None


def _stage1(config: Mapping[str, Any], epochs: int) -> str:
    options, data = config["model"]["init_args"], config["data"]
    sampler = (data.get("samplers") or {}).get("stage1") or data.get("sampler")
    return _text(
        {
            "model": {key: options.get(key) for key in _MODEL},
            "data": {key: value for key, value in data.items() if key not in _NOT_DATA},
            "sampler": sampler,
            "trainer": {k: v for k, v in config["trainer"].items() if k not in _LENGTH},
            "pretrain": config.get("pretrain"),
            "epochs": epochs,
            "method": _of_others(config["model"]),
        }
    )


def _of_others(model: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return a method from outside with all of its options: its first stage may be its own."""
    return None if str(model["class_path"]).startswith(_METHODS) else model


def _pretraining(config: Mapping[str, Any]) -> str | None:
    """Return what stands for the pre-training: its file, and what it takes over from the run."""
    asked = config.get("pretrain") or {}
    if not asked.get("config") or config["model"]["init_args"].get("stage1_ckpt"):
        return None
    model = config["model"]["init_args"]
    part = {key: model.get(key) for key in ("backbone", "channels_last", "compile")}
    data = {key: value for key, value in config["data"].items() if key not in _NOT_DATA}
    trainer = {key: value for key, value in config["trainer"].items() if key not in _LENGTH}
    return _text({"pretrain": asked, "model": part, "data": data, "trainer": trainer})


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
