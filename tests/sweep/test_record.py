"""sweep.json: what is not as it was written is refused, and it can be moved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lt_lightning.errors import UserError
from lt_lightning.sweep.job import Job, place
from lt_lightning.sweep.record import Record, read_record


def _jobs(root: Path) -> list[Job]:
    first = ("--config", "ce", "--seed_everything=0", *place(root, "a", "seed0"))
    second = ("--config", "crt", "--seed_everything=0", *place(root, "b", "seed0"))
    taken = f"--model.stage1_ckpt={root}/a/seed0/checkpoints/last.ckpt"
    shared = (taken, "--trainer.max_epochs=3")
    return [
        Job("a", "seed0", first, epochs=3, data="digits"),
        Job("a", "seed0", (), needs="a/seed0", data="digits", post_hoc="LogitAdjuster"),
        Job("b", "seed0", second, shared, needs="a/seed0", epochs=3, data="digits"),
    ]


def _written(root: Path) -> dict[str, Any]:
    record = Record("asked", _jobs(root), {"a/seed0"}, {"b/seed0": "no"}, {"digits": 1.5})
    record.write(root)
    content: dict[str, Any] = json.loads((root / "sweep.json").read_text(encoding="utf-8"))
    return content


def _at(job: int, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["jobs"][job].update({key: value})


def _word(job: int, place: int, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["jobs"][job]["words"].__setitem__(place, value)


def test_a_record_is_read_as_it_was_written_and_goes_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    _written(tmp_path / "one")
    found = read_record(tmp_path / "one")
    assert found is not None
    assert found.jobs == _jobs(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    found = read_record(tmp_path / "two")
    assert found is not None
    assert found.jobs == _jobs(tmp_path / "two")


@pytest.mark.parametrize(
    "change",
    [
        *(_at(0, "name", value) for value in (None, 3, "", "..", "../x", "a\nb", "logs")),
        *(_at(0, "version", value) for value in ("../..", "/etc", [])),
        *(_at(0, "epochs", value) for value in ("3", -1, True, 1.5, 10**12, [])),
        *(_at(1, "post_hoc", value) for value in ("os system", "--x", 3, [])),
        *(_at(2, "needs", value) for value in ("b/seed0", "none", 3, [])),
        *(_at(2, "shared", value) for value in ("x", [3], ["--x"], ["--trainer.max_epochs=x"])),
        *(_at(0, "data", value) for value in (None, 3, [])),
        _at(0, "words", "words"),
        _at(0, "words", []),
        _at(1, "words", ["--config", "ce"]),
        _at(2, "shared", ["--model.stage1_ckpt=/etc/a/b/checkpoints/last.ckpt"]),
        _at(2, "shared", ["--model.loss=x"]),
        _at(1, "needs", None),
        _word(0, -1, "seed1"),
        _word(0, -3, "../b"),
        _word(0, 2, "--runs=/etc"),
        _word(0, 2, "--ckpt_path=x"),
        _word(0, 2, "word"),
        lambda content: content.update(jobs={}),
        lambda content: content["jobs"].append(content["jobs"][0]),
        lambda content: content["jobs"].reverse(),
        lambda content: content["jobs"].append(None),
        lambda content: content["jobs"][0].pop("epochs"),
        lambda content: content.update(epoch_seconds={"digits": 1e308}),
        lambda content: content.update(epoch_seconds={"digits": -1}),
        lambda content: content.update(failed=[1]),
        lambda content: content.update(ended=3),
    ],
)
def test_what_no_sweep_has_written_is_damaged(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    content = _written(tmp_path)
    change(content)
    (tmp_path / "sweep.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match=r"sweep\.json is damaged \(.*\): delete it") as raised:
        read_record(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").mkdir()
    with pytest.raises(UserError, match="is damaged"):
        read_record(tmp_path)
