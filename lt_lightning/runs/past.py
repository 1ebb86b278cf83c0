"""What weights have behind them that no later run may keep quiet: their checkpoint carries it.

A network that begins with other weights, or learns the labels that they give, has all of it behind
it as well, over any number of runs.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs.checkpoint import RECORD
from lt_lightning.runs.config import began_with, went_on_with
from lt_lightning.runs.folder import PRETRAIN
from lt_lightning.runs.results import read_results

_SEEN, _ORACLE, _CHOSEN, _BUILT = "test_seen_during_training", "oracle", "chosen_by", "built_on"
_RUNS = ("backbone_init", "stage1_ckpt", "teacher")  # options of a method that name another run
_FIRST = 1  # the stage before an oracle sees more than others
_MOST = 20  # runs behind one another, for a config may name its own run


@dataclass(frozen=True)
class Past:
    """What weights have behind them.

    Attributes:
        test_seen: whether test images were evaluated during their training.
        oracle: whether they learned from what a method may not have.
        chosen_by: what chose these among the weights of their run; empty where nothing did.
        built_on: what chose weights that they were built on, where test images did.
    """

    test_seen: bool = False
    oracle: bool = False
    chosen_by: str = ""
    built_on: str = ""

    def after(self, other: "Past") -> "Past":
        """Return that of a training with this past which takes over weights with another."""
        on_test = other.chosen_by if " on TEST " in other.chosen_by else other.built_on
        return Past(
            self.test_seen or other.test_seen,
            self.oracle or other.oracle,
            self.chosen_by,
            self.built_on or on_test,
        )

    def keep(self, checkpoint: dict[str, Any]) -> None:
        """Write it into a checkpoint, which may know already what chose it."""
        known = {_SEEN: self.test_seen, _ORACLE: self.oracle, _BUILT: self.built_on}
        checkpoint.setdefault(RECORD, {}).update(known)

    def in_header(self) -> dict[str, str]:
        """Return it for the header of a .safetensors file, which holds texts."""
        kept: dict[str, Any] = {}
        self.keep(kept)
        keep_choice(kept, self.chosen_by)
        return {RECORD: json.dumps(kept[RECORD])}


def choice(monitor: str | None, on_test: bool) -> str:
    """Return what is told of weights that a metric chose."""
    return f"best {monitor or 'validation metric'} on {'TEST' if on_test else 'held-out'} images"


def keep_choice(checkpoint: dict[str, Any], told: str) -> None:
    """Write into a checkpoint what chose it."""
    checkpoint.setdefault(RECORD, {})[_CHOSEN] = told


def past_of(checkpoint: Mapping[str, Any], path: str | Path | None = None) -> Past | None:
    """Return what the weights of a checkpoint have behind them; none where nothing tells.

    Args:
        checkpoint: its content.
        path: the file; of an earlier version, which kept nothing, the folder of its run tells.
    """
    return _past_of(checkpoint, path, _MOST)


def past_of_weights(path: str) -> Past | None:
    """Return what the weights of any file have behind them, a checkpoint or what `lt export` wrote.

    Raises:
        UserError: if it is neither.
    """
    if Path(path).suffix.lower() != ".safetensors":
        return past_of(checkpoint_file.read(path), path)
    from safetensors import safe_open

    with safe_open(path, framework="pt") as opened:
        header = opened.metadata() or {}
    try:
        return past_of({RECORD: json.loads(header.get(RECORD, "{}"))})
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise UserError(f"The header of {path} is damaged: export the run again.") from error


def _past_of(checkpoint: Mapping[str, Any], path: str | Path | None, left: int) -> Past | None:
    kept = checkpoint.get(RECORD, {})
    if _SEEN in kept:
        texts = (str(kept.get(_CHOSEN, "")), str(kept.get(_BUILT, "")))
        return Past(bool(kept[_SEEN]), bool(kept[_ORACLE]), *texts)
    file = None if path is None else Path(path).resolve()
    if file is None or file.parent.name != "checkpoints":
        return None
    found = _of_folder(file, left)
    of_first = checkpoint.get("lt_stage") == _FIRST
    return found if found is None or not of_first else replace(found, oracle=False)


def _of_folder(file: Path, left: int) -> Past | None:
    """Return what the folder of a run tells of a checkpoint of an earlier version."""
    folder = file.parent.parent
    try:
        configs = [began_with(folder), *went_on_with(folder)]
    except UserError:
        return None
    seen = any(bool(_part(config, "data").get("monitor_test")) for config in configs)
    found = Past(seen)
    if seen and file.stem == "best":
        monitor = _part(configs[-1], "checkpoint").get("monitor")
        found = Past(seen, chosen_by=choice(monitor, True))
    with suppress(UserError):  # it was never tested, or the file is damaged
        flags = read_results(folder)["flags"]
        found = replace(found, test_seen=seen or flags[_SEEN], oracle=flags[_ORACLE])
    for other in _behind(folder, configs) if left else ():
        with suppress(UserError):
            earlier = _past_of(checkpoint_file.read(other), other, left - 1)
            found = found.after(earlier or Past())
    return found


def _behind(folder: Path, configs: list[dict[str, Any]]) -> Iterator[Path]:
    """Yield the checkpoints of the runs that a run was built on, as far as they are there."""
    for config in configs:
        options = _part(_part(config, "model"), "init_args")
        for path in (options.get(name) for name in _RUNS):
            if isinstance(path, str) and Path(path).is_file():
                yield Path(path)
    before = folder / PRETRAIN / "checkpoints" / "last.ckpt"
    if before.is_file():
        yield before


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}
