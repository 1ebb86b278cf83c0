"""Hostile cases of `lt sweep`: what is asked for, and the record that it goes on with."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hostile
import yaml
from config_files import CONFIGS
from lt_runs import in_process
from world import Case

if TYPE_CHECKING:
    from cases import Maker

_DIGITS = str(CONFIGS / "data" / "digits.yaml")
_SPEC: dict[str, Any] = {
    "data": [_DIGITS],
    "ratios": [20, 10],
    "seeds": [0, 1],
    "over": ["recipe/short"],
    "set": {"trainer.max_epochs": 2, "data.source.size": 8},
    "groups": [
        {"rows": ["ce", {"config": "ncm", "name": "own", "post_hoc": ["LogitAdjuster"]}]},
        {"rows": [{"config": "crt", "set": {"model.backbone.depth": 8}}], "ratios": 20},
    ],
}
_KEYS = (
    *("runs", "name", "version", "ckpt_path", "seed_everything", "config", "print_config", "help"),
    *("data.profile.imbalance_ratio", "trainer.max_epochs", "a b", "", "-x", "--x", "x=y", "a\nb"),
)
_NAMES = ("../x", "..", ".", "", "a b", "a\nb", "logs", "sweep.json", "-x", "a" * 300, "/etc", "é")


def _sweep(maker: "Maker", folder: Path) -> Case:
    """A table of runs that is asked for otherwise, and is printed where it is taken."""
    place, more = hostile.any_place(maker.random, _SPEC), []
    word = maker.random.choice(hostile.WORDS)
    text = yaml.safe_dump(hostile.changed(_SPEC, place, "HERE")).replace("HERE", word)
    what = f"{place} {word[:60]!r}"
    kind = maker.random.random()
    if kind < 0.15:
        key, value = maker.random.choice(_KEYS), maker.random.choice(hostile.WORDS)
        spec = {"rows": ["ce"], "data": _DIGITS, "set": {key: value}}
        text, what = yaml.safe_dump(spec), f"set {key} {value[:60]!r}"
    elif kind < 0.3:
        name = maker.random.choice(_NAMES)
        spec = {"rows": [{"config": "ce", "name": name}], "over": _DIGITS}
        text, what = yaml.safe_dump(spec), f"row {name!r}"
    elif kind < 0.4:
        name = maker.random.choice(_NAMES)
        text, more, what = yaml.safe_dump(_SPEC), ["--name", name], f"name {name!r}"
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    if kind > 0.9:
        new = hostile.damaged(maker.random, yaml.safe_dump(_SPEC).encode())
        (folder / "x.yaml").write_bytes(new)
        what = f"bytes {new[:40]!r}"
    words = ["sweep", str(folder / "x.yaml"), "--runs", str(folder / "runs"), *more]
    return Case("sweep", [*words, "--launcher", "print"], what, kept=(folder,))


def _planned(maker: "Maker") -> Path:
    """Return the folder of a planned sweep, made once."""
    root = maker.root / "planned"
    if not root.exists():
        options = ["--set", "trainer.max_epochs=2", "--post_hoc", "LogitAdjuster"]
        words = ["sweep", "--configs", "ce", "crt", "--data", _DIGITS, *options]
        answer = in_process([*words, "--runs", str(root), "--launcher", "print"])
        assert answer.status == 0, answer.err
    return root / "sweep"


def _record(maker: "Maker", folder: Path) -> Case:
    """A record that is damaged, looked at."""
    root = Path(shutil.copytree(_planned(maker), folder / "runs" / "sweep"))
    file = root / "sweep.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    first = content["jobs"][0]
    measured = {"seconds": 1.5, "of": "0123456789abcdef"}
    run = f"{first['name']}/{first['version']}"
    content.update(failed={run: "no"}, ended=[run], epoch_seconds={first["data"]: measured})
    place = hostile.any_place(maker.random, content)
    value = maker.random.choice((*hostile.VALUES, *_NAMES, ["../.."]))
    what = f"{place} {str(value)[:60] if value is not hostile.DELETED else 'deleted'}"
    text = json.dumps(hostile.changed(content, place, value), default=str, skipkeys=True).encode()
    if maker.random.random() < 0.2:
        text = hostile.damaged(maker.random, text)
        what = f"bytes {text[:40]!r}"
    file.write_bytes(text)
    (root / "logs").mkdir() if maker.random.random() < 0.5 else (root / "logs").write_text("x")
    words = ["sweep", "--status", "--runs", str(folder / "runs")]
    return Case("record", words, what, kept=(folder,))


KINDS = {"sweep": _sweep, "record": _record}
