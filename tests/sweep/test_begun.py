"""Whether the run in a folder is the one that is asked for, and what of it counts as done."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lt_lightning.errors import UserError
from lt_lightning.sweep.begun import as_begun, check_begun, provider, taken_over, trained_on
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.job import ON_HELD_OUT, Job, place
from lt_lightning.sweep.record import Record
from lt_lightning.sweep.state import Kind, State, state_of

_CONFIG: dict[str, Any] = {
    "seed_everything": 0,
    "trainer": {"max_epochs": 3, "precision": None},
    "model": {"class_path": "lt_lightning.methods.ERM", "init_args": {"stage1_ckpt": None}},
    "data": {"batch_size": 8, "normalize": None},
}


def _job(root: Path, *more: str, name: str = "crt") -> Job:
    words = ("--config", "crt", *more, "--seed_everything=0", *place(root, name, "seed0"))
    return Job(name, "seed0", words, epochs=3, data="digits")


def _begin(root: Path, command: list[str], name: str = "crt", **data: Any) -> Path:
    folder = root / name / "seed0"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    (folder / "command.json").write_text(json.dumps({"command": command}), encoding="utf-8")
    ran = {**_CONFIG, "trainer": {"max_epochs": 3, "precision": "32-true"}}
    ran["data"] = {**_CONFIG["data"], "normalize": {"mean": 0.5}, **data}
    (folder / "config.yaml").write_text(yaml.safe_dump(ran), encoding="utf-8")
    return folder


def _taken(root: Path | str, what: str = "ce/seed0/checkpoints/last.ckpt") -> list[str]:
    return [f"--model.stage1_ckpt={root}/{what}", "--trainer.max_epochs=2"]


def test_a_run_is_that_of_its_command_wherever_it_lies(tmp_path: Path) -> None:
    job = _job(tmp_path)
    assert check_begun(job, _CONFIG, tmp_path) is None
    fit = ["lt", "fit", "--config=crt", "--seed_everything", "0", "--runs", "old", "--name", "crt"]
    _begin(tmp_path, [*fit, "--version", "seed0", *_taken("old"), "--ckpt_path", "last"])
    found = check_begun(job, _CONFIG, tmp_path)
    assert found == tuple(_taken(tmp_path))
    assert provider(found, tmp_path) == "ce/seed0"


@pytest.mark.parametrize(
    "command",
    [
        ["lt", "fit", "--config", "ce", "--seed_everything=0", "--runs", "s"],
        ["lt", "fit", "--config", "crt", "--seed_everything=1", "--runs", "s"],
        ["lt", "fit", "--seed_everything=0", "--config", "crt", "--trainer.max_epochs=9"],
        ["lt", "fit", "--config", "crt", "--runs", "s"],
        *(
            ["lt", "fit", "--config", "crt", "--seed_everything=0", "--runs", "s", *more]
            for more in (
                _taken("/etc"),
                _taken("s", "../seed0/checkpoints/last.ckpt"),
                _taken("s", "ce/seed0/checkpoints/best.ckpt"),
                ["--model.loss=x"],
                ["--trainer.max_epochs=9"],
                ["--trainer.max_epochs=" + "9" * 10],
                ["--trainer.max_epochs=" + "9" * 5000],
                ["word"],
            )
        ),
        ["lt", "test", "--config", "crt", "--seed_everything=0", "--runs", "s"],
        [],
    ],
)
def test_the_run_of_another_command_is_refused_and_counts_for_nothing(
    tmp_path: Path, command: list[str]
) -> None:
    job = _job(tmp_path)
    _begin(tmp_path, command, batch_size=9)
    said = r"crt/seed0 has begun with other options \((see .*command\.json|data\.batch_size was 9)"
    with pytest.raises(UserError, match=said):
        check_begun(job, _CONFIG, tmp_path)
    assert taken_over(job, tmp_path) is None
    assert state_of(job, tmp_path, True) == State(Kind.WAITING)


def test_a_sweep_that_was_renamed_takes_over_its_runs_at_wandb(tmp_path: Path) -> None:
    """Trap: its group there is called as its folder, and the runs were of other options then."""
    root = tmp_path / "new"
    job, group = _job(root, "--trainer.logger.group=new"), "--trainer.logger.group"
    began = [*_job(tmp_path / "old", f"{group}=old").words, *_taken(tmp_path / "old")]
    folder = _begin(root, ["lt", "fit", *began])
    assert check_begun(job, _CONFIG, root) == tuple(_taken(root))
    for other in (f"{group}=mine", f"{group}=new"):  # of the user, and not that of its sweep
        words = [other if word == f"{group}=old" else word for word in began]
        command = json.dumps({"command": ["lt", "fit", *words]})
        (folder / "command.json").write_text(command, encoding="utf-8")
        with pytest.raises(UserError, match="has begun with other options"):
            check_begun(job, _CONFIG, root)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"command": 3}', '{"command": [3]}'])
def test_a_run_that_does_not_tell_its_command_is_none_of_the_sweep(
    tmp_path: Path, text: str
) -> None:
    folder = _begin(tmp_path, [])
    (folder / "command.json").write_text(text, encoding="utf-8")
    for gone in (False, True):
        if gone:
            (folder / "command.json").unlink()
        with pytest.raises(UserError, match=r"crt/seed0 .*command\.json is gone or damaged: put"):
            check_begun(_job(tmp_path), _CONFIG, tmp_path)


@pytest.mark.parametrize(
    "began",
    [
        ("--seed_everything=0", "--model.b=2", "--model.a=1"),  # in another order
        ("--trainer.max_steps=-1", "--model.a=1", "--model.b=2", "--seed_everything=0"),
        ("--config", "my/digits.yaml", "--model.a=1", "--model.b=2", "--seed_everything=0"),
    ],
)
@pytest.mark.parametrize("group", [(), ("--trainer.logger.group=s",)])
def test_a_run_that_was_asked_for_in_other_words_is_the_same(
    tmp_path: Path, began: tuple[str, ...], group: tuple[str, ...]
) -> None:
    """Trap: the same options in another order had to be trained once more."""
    root = tmp_path / "s"
    job = _job(root, "--model.a=1", "--model.b=2", *group)
    before = ["lt", "fit", "--config", "crt", *began, *group, *place(Path("old/s"), "crt", "seed0")]
    _begin(root, [*before, *_taken("old/s"), "--ckpt_path", "last"])
    found = check_begun(job, _CONFIG, root)
    assert found == tuple(_taken(root))
    assert taken_over(job, root) is None
    again = as_begun(job, root)
    place_ = place(root, "crt", "seed0")
    assert again == replace(job, words=("--config", "crt", *began, *group, *place_))
    assert taken_over(again, root) == found
    assert state_of(again, root).kind is Kind.INTERRUPTED
    assert as_begun(again, root) is again
    other = {**_CONFIG, "data": {**_CONFIG["data"], "batch_size": 9}}
    with pytest.raises(UserError, match=r"data\.batch_size was 8 and is 9 now"):
        check_begun(job, other, root)


@pytest.mark.parametrize(("seed", "ratio"), [(0, "20"), (1, "20"), (0, "10"), (1, "10")])
def test_other_words_are_the_same_at_every_seed_and_ratio(
    tmp_path: Path, seed: int, ratio: str
) -> None:
    """Trap: only those of the first seed and ratio were, for their config was looked into alone."""
    own = (f"--data.profile.imbalance_ratio={ratio}", "--model.a=1", "--model.b=2")
    words = ("--config", "crt", *own, f"--seed_everything={seed}")
    job = Job("crt", "seed0", (*words, *place(tmp_path, "crt", "seed0")), epochs=3, data="digits")
    before = ["--config", "crt", f"--seed_everything={seed}", *own[::-1]]

    def config(at_seed: int, at_ratio: float) -> dict[str, Any]:
        profile = {"class_path": "Exponential", "init_args": {"imbalance_ratio": at_ratio}}
        data = {**_CONFIG["data"], "profile": profile}
        return {**_CONFIG, "seed_everything": at_seed, "data": data}

    folder = _begin(tmp_path, ["lt", "fit", *before, *place(tmp_path, "crt", "seed0")])
    for at_seed, at_ratio, same in ((seed, float(ratio), True), (2, float(ratio), False),
                                    (seed, 50.0, False)):  # fmt: skip
        ran = {**config(at_seed, at_ratio), "trainer": {"max_epochs": 3, "precision": "32-true"}}
        (folder / "config.yaml").write_text(yaml.safe_dump(ran), encoding="utf-8")
        if same:
            assert check_begun(job, config(0, 20.0), tmp_path) == ()
        else:
            with pytest.raises(UserError, match="has begun with other options"):
                check_begun(job, config(0, 20.0), tmp_path)


def test_a_config_file_that_was_changed_since_is_noticed(tmp_path: Path) -> None:
    job = _job(tmp_path, "--model.loss=x")
    _begin(tmp_path, ["lt", "fit", *job.words])
    assert check_begun(job, _CONFIG, tmp_path) == ()
    own = {**_CONFIG, "model": {**_CONFIG["model"], "init_args": {"loss": "of the words"}}}
    assert check_begun(job, own, tmp_path) == ()
    for key, value, said in (
        ("trainer", {"max_epochs": 7, "precision": None}, "trainer.max_epochs was 3 and is 7 now"),
        ("trainer", {"max_epochs": 3, "precision": "16-mixed"}, "precision was 32-true and is 16"),
        ("data", {**_CONFIG["data"], "batch_size": None}, "batch_size was 8 and is null now"),
    ):
        with pytest.raises(UserError, match=said):
            check_begun(job, {**_CONFIG, key: value}, tmp_path)


def _finish(folder: Path, monkeypatch: pytest.MonkeyPatch, **training: Any) -> None:
    (folder / "results.json").touch()
    training = {"seconds": 4.0, **training}
    content = {"training": training, "data": {}, "evaluations": {"last": {}}}
    for part in ("sweep.begun", "runs.finished"):
        monkeypatch.setattr(f"lt_lightning.{part}.read_results", lambda _: content)


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ({"max_epochs": 5}, "trainer.max_epochs is 3, and was 5 when it was trained on"),
        ({"max_epochs": 2}, "trainer.max_epochs is 3, and was 2 when it was trained on"),
        ({"max_steps": 9}, "trainer.max_steps"),
        ({"devices": 2}, "trainer.devices"),
        ({"callbacks": [{"class_path": "GradientAccumulationScheduler"}]}, "trainer.callbacks"),
    ],
)
def test_a_run_that_was_trained_on_by_hand_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: dict[str, Any], said: str
) -> None:
    """Trap: it kept its command and its config.yaml, and stood in the table as the shorter one."""
    job = _job(tmp_path)
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    began = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    began["trainer"] |= {"max_steps": -1, "max_time": None, "devices": 1, "callbacks": None}
    (folder / "config.yaml").write_text(yaml.safe_dump(began), encoding="utf-8")
    asked = {**_CONFIG, "trainer": {**began["trainer"], "precision": None}}
    other = {**began, "trainer": {**began["trainer"], **trainer}}
    for number, config in (1, other), (2, began):
        file = folder / f"config-resumed-{number}.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.raises(UserError, match=f"crt/seed0 has begun with other options .*{said}"):
        check_begun(job, asked, tmp_path)
    _finish(folder, monkeypatch, epochs=3, planned_epochs=3)
    assert state_of(job, tmp_path, True) == State(Kind.WAITING)


@pytest.mark.parametrize(
    ("trainer", "matters"),
    [
        ({"max_time": "00:00:01:00"}, True),
        ({"callbacks": [{"class_path": "lightning.pytorch.callbacks.EarlyStopping"}]}, True),
        ({"callbacks": [{"class_path": "lightning.pytorch.callbacks.LearningRateMonitor"}]}, False),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_what_ends_a_training_early_counts_in_the_last_command_alone(
    tmp_path: Path, trainer: dict[str, Any], matters: bool, last: bool
) -> None:
    """Trap: a callback that only looks on made a finished run another one."""
    job = _job(tmp_path)
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    began = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    began["trainer"] |= {"max_time": None, "callbacks": None}
    (folder / "config.yaml").write_text(yaml.safe_dump(began), encoding="utf-8")
    other = {**began, "trainer": {**began["trainer"], **trainer}}
    for number, config in enumerate((began, other) if last else (other, began), 1):
        text = yaml.safe_dump(config)
        (folder / f"config-resumed-{number}.yaml").write_text(text, encoding="utf-8")
    assert (trained_on(folder) is not None) == (matters and last)


@pytest.mark.parametrize("later", [{}, {"trainer": None}, {"trainer": {"callbacks": 3}}])
def test_an_odd_config_of_a_resumed_run_is_no_traceback(tmp_path: Path, later: Any) -> None:
    job = _job(tmp_path)
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    (folder / "config-resumed-1.yaml").write_text(yaml.safe_dump(later), encoding="utf-8")
    assert state_of(job, tmp_path).kind in (Kind.WAITING, Kind.INTERRUPTED)


def test_a_run_on_held_out_images_is_done_when_those_are_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: the sweep said that it had ended without a result, and trained nothing after it."""
    job = _job(tmp_path, "--test_on=held_out")
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    began = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    (folder / "config.yaml").write_text(yaml.safe_dump({**began, "test_on": "held_out"}))
    _finish(folder, monkeypatch, epochs=3, planned_epochs=3)
    assert state_of(job, tmp_path).kind is Kind.INTERRUPTED  # it was tested by hand, on others
    told = {"images": 9, "test": {"fingerprint": "other"}}
    data, found = {"test_fingerprint": "own"}, {"last@held_out-other": told}
    monkeypatch.setattr(
        "lt_lightning.runs.finished.read_results", lambda _: {"data": data, "evaluations": found}
    )
    assert state_of(job, tmp_path).kind is Kind.DONE


def test_to_look_on_or_to_test_otherwise_makes_no_other_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(tmp_path)
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    later = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    later |= {"post_hoc": "TauNormalization", "name": "other", "data": {**later["data"]}}
    later["data"]["workers"] = 0
    (folder / "config-resumed-1.yaml").write_text(yaml.safe_dump(later), encoding="utf-8")
    _finish(folder, monkeypatch, epochs=3, planned_epochs=3)
    assert check_begun(job, _CONFIG, tmp_path) == ()
    assert state_of(job, tmp_path) == State(Kind.DONE, 3, 4.0)


@pytest.mark.parametrize(("epochs", "planned"), [(5, 5), (5, 3), (5, None)])
def test_a_longer_run_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int, planned: int | None
) -> None:
    job = _job(tmp_path)
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    _finish(folder, monkeypatch, epochs=epochs, planned_epochs=planned)
    with pytest.raises(UserError, match=f"trained for {epochs} epochs, and 3 are asked for"):
        check_begun(job, _CONFIG, tmp_path)
    assert state_of(job, tmp_path) == State(Kind.WAITING)


def test_a_second_stage_is_as_long_as_what_it_took_over_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(tmp_path)
    folder = _begin(tmp_path, ["lt", "fit", *job.words, *_taken(tmp_path)])
    _finish(folder, monkeypatch, epochs=2, planned_epochs=2)
    assert check_begun(job, _CONFIG, tmp_path) == tuple(_taken(tmp_path))


def test_a_run_whose_files_stood_in_another_order_is_told_by_its_options(tmp_path: Path) -> None:
    """Those of an earlier version had the data last; where the recipe has no data that is alike."""
    job = _job(tmp_path, "--config", "data/digits", "--config", "recipe/strong")
    before = _job(tmp_path, "--config", "recipe/strong", "--config", "data/digits")
    _begin(tmp_path, ["lt", "fit", *before.words, *_taken(tmp_path)])
    assert check_begun(job, _CONFIG, tmp_path) == tuple(_taken(tmp_path))
    other = {**_CONFIG, "data": {**_CONFIG["data"], "batch_size": 9}}
    with pytest.raises(UserError, match=r"data\.batch_size was 8 and is 9 now"):
        check_begun(job, other, tmp_path)
    third = _job(tmp_path, "--config", "data/digits", "--config", "recipe/short")
    with pytest.raises(UserError, match=r"data\.batch_size was 8 and is 9 now"):
        check_begun(third, other, tmp_path)


def test_a_test_is_done_by_its_own_command_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "crt" / "seed0"
    folder.mkdir(parents=True)
    (folder / "results.json").touch()
    job = Job("crt", "seed0", (), needs="crt/seed0", post_hoc="TauNormalization")

    def is_done(label: str, *words: str) -> bool:
        found = {"evaluations": {label: {"command": ["lt", *words]}}}
        monkeypatch.setattr("lt_lightning.sweep.state.read_results", lambda _: found)
        return state_of(job, tmp_path).kind is Kind.DONE

    asked = ("test", "old/s/crt/seed0", "--post_hoc", "TauNormalization")
    assert is_done("last+tau_norm_1", *asked)
    assert is_done("last+tau_norm_1@0123abcd", *asked)  # beside one of other options
    assert not is_done("last+tau_norm_0.3", *asked, "--post_hoc.tau", "0.3")
    assert not is_done("last+tau_norm_1@photos", *asked, "--data.test_root", "photos")
    assert not is_done("last+tau_norm_1@held_out", *asked, "--test_on=held_out")
    assert not is_done("best+tau_norm_1", *asked, "--best")
    assert not is_done("best+tau_norm_1", "test", f"{folder}/checkpoints/best.ckpt", *asked[2:])
    assert not is_done("last+nearest", *asked[:3], "NearestMean")
    assert not is_done("last", "fit")
    assert not is_done("last", "test")
    held_out = (*asked, "--test_on=held_out")  # of a row that is tested on held-out images itself
    job = replace(job, words=ON_HELD_OUT)
    assert is_done("last+tau_norm_1@held_out-0123abcd", *held_out)
    assert is_done("last+tau_norm_1@held_out-0123abcd", *asked, "--test_on", "held_out")
    assert not is_done("last+tau_norm_1", *asked)


def test_a_test_of_weights_that_are_trained_on_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(tmp_path)
    test = Job("crt", "seed0", (), needs=job.id, post_hoc="TauNormalization")
    folder = _begin(tmp_path, ["lt", "fit", *job.words])
    (folder / "results.json").touch()
    told = ["lt", "test", str(folder), "--post_hoc", "TauNormalization"]
    training = {"epochs": 2, "planned_epochs": 3, "seconds": 4.0}
    evaluations = {"last": {}, "last+x": {"command": told}}
    content = {"training": training, "data": {}, "evaluations": evaluations}
    for part in ("sweep.begun", "sweep.state", "runs.finished"):
        monkeypatch.setattr(f"lt_lightning.{part}.read_results", lambda _: content)

    def states(*ended: str) -> list[State]:
        return list(Board(Record([job, test], {*ended}), tmp_path).states.values())

    assert states() == [State(Kind.INTERRUPTED), State(Kind.WAITING)]
    # Cut by max_time: an epoch costs what the two took, and not what three would have.
    assert states(job.id) == [State(Kind.DONE, 2, 4.0), State(Kind.DONE)]
    training["ended"] = True  # as its own results tell, with no record of a sweep
    assert states() == [State(Kind.DONE, 2, 4.0), State(Kind.DONE)]
