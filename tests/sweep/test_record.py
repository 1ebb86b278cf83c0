"""sweep.json: what is not as it was written is refused, and it can be moved."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lt_lightning.errors import UserError
from lt_lightning.sweep.job import ON_HELD_OUT, Job, place
from lt_lightning.sweep.record import Measured, Record, read_record, renewed


def _jobs(root: Path) -> list[Job]:
    first = ("--config", "ce", "--seed_everything=0", *place(root, "a", "seed0"))
    second = ("--config", "crt", "--seed_everything=0", *place(root, "b", "seed0"))
    taken = f"--model.stage1_ckpt={root}/a/seed0/checkpoints/last.ckpt"
    shared = (taken, "--trainer.max_epochs=3")
    return [
        Job("a", "seed0", first, epochs=3, data="digits"),
        Job("a", "seed0", (), needs="a/seed0", data="digits", post_hoc="LogitAdjuster"),
        Job("a", "seed0", ON_HELD_OUT, needs="a/seed0", data="digits", post_hoc="NearestMean"),
        Job("b", "seed0", second, shared, needs="a/seed0", epochs=3, data="digits"),
    ]


def _written(root: Path) -> dict[str, Any]:
    measured = {"digits": Measured(1.5, "0123")}
    record = Record(_jobs(root), {"a/seed0"}, {"b/seed0": "no"}, measured)
    record.write(root)
    content: dict[str, Any] = json.loads((root / "sweep.json").read_text(encoding="utf-8"))
    return content


def _at(job: int, key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["jobs"][job].update({key: value})


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    _written(tmp_path)
    found = read_record(tmp_path)
    assert found is not None
    assert found.jobs == _jobs(tmp_path)
    assert found.epoch_seconds == {"digits": Measured(1.5, "0123")}


def test_one_of_another_version_is_refused(tmp_path: Path) -> None:
    content = {**_written(tmp_path), "schema_version": 1}
    (tmp_path / "sweep.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"delete it and start the sweep again, after scancel .*; its runs stay"
    ):
        read_record(tmp_path)


def test_a_new_plan_keeps_what_is_still_true(tmp_path: Path) -> None:
    (tmp_path / "a" / "seed0").mkdir(parents=True)
    first, *_ = _jobs(tmp_path)
    measured = {data: Measured(1.5, "0123") for data in ("digits", "other")}
    ended = {"a/seed0", "gone/seed0", "a" * 5000, "a\0"}
    before = Record([first], ended, {}, measured)
    now = renewed(before, [replace(first, of="0123")], tmp_path)
    assert (now.ended, now.epoch_seconds) == ({"a/seed0"}, measured)
    now = renewed(before, [replace(first, of="4567")], tmp_path)
    assert list(now.epoch_seconds) == ["other"]


@pytest.mark.parametrize(
    "change",
    [
        *(_at(0, "name", value) for value in (None, 3, "", "..", "../x", "a\nb", "logs")),
        *(_at(0, "version", value) for value in ("../..", "/etc", [])),
        *(_at(0, "epochs", value) for value in ("3", -1, True, 1.5, 10**12, [])),
        *(_at(1, "post_hoc", value) for value in ("os system", "--x", 3, [])),
        *(_at(3, "needs", value) for value in ("b/seed0", "none", 3, [])),
        *(_at(3, "shared", value) for value in ("x", [3])),
        *(_at(0, "data", value) for value in (None, 3, [])),
        _at(0, "words", "words"),
        _at(1, "words", ["--config", "ce"]),
        _at(1, "words", ["--test_on=held_out", "--best"]),
        _at(1, "needs", None),
        lambda content: content.update(jobs={}),
        lambda content: content["jobs"].append(content["jobs"][0]),
        lambda content: content["jobs"].reverse(),
        lambda content: content["jobs"].append(None),
        lambda content: content["jobs"][0].pop("epochs"),
        *(
            lambda content, one=one: content.update(epoch_seconds={"digits": one})
            for one in (
                {"seconds": 1e308, "of": ""},
                {"seconds": 10**400, "of": ""},
                {"seconds": -1, "of": ""},
                {},
                "1",
                None,
            )
        ),
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
