"""`lt report --mistakes` and `lt cam --mistakes` on runs of images in memory and in files."""

import json
import shutil
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from lt_runs import in_process
from PIL import Image

from lt_lightning.cli.commands.mistakes import _end
from lt_lightning.cli.run_data import data_of_checkpoint
from lt_lightning.cli.tested import ImagesOfTest
from lt_lightning.data import AsIs, Digits, ImageFolder, LongTailDataModule
from lt_lightning.data.reading import AS_BEFORE, Reading
from lt_lightning.engine.predictor import Predictor
from lt_lightning.report.features_file import read_features
from lt_lightning.report.mistakes_file import read_mistakes
from lt_lightning.runs.checkpoint import DATA_STATE

FOLDER = (
    "fit --model ERM --model.backbone.depth 8 --model.backbone.width 4 --data.source ImageFolder "
    "--data.source.image_size 64 --data.source.in_memory false --data.profile AsIs "
    "--data.batch_size 4 --data.workers 0 --trainer.max_epochs 1 --trainer.accelerator cpu "
    "--name files"
)


@pytest.fixture(scope="module")
def of_files(tmp_path_factory):
    """Return a folder with a run on picture files, one class with a hostile name; to be copied."""
    folder = tmp_path_factory.mktemp("files")
    for split in ("train", "test"):
        for shade, name in enumerate(("-<i> & 'x'", "dog")):
            (folder / "pictures" / split / name).mkdir(parents=True)
            for number in range(3):
                picture = Image.new("RGB", (90, 80), (90 * shade, 40 * number, 7))
                picture.save(folder / "pictures" / split / name / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        answer = in_process([*FOLDER.split(), "--data.root", "pictures"])
    assert answer.status == 0, answer.err
    return folder


@pytest.fixture
def files(of_files, tmp_path):
    """Return a copy of the run on files; its pictures lie beside it."""
    shutil.copytree(of_files, tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs" / "files" / "0"


def evaluation(folder, label="last"):
    content = json.loads((folder / "results.json").read_text("utf-8"))
    return content["evaluations"][label]


def misses(folder, label="last"):
    found = evaluation(folder, label)
    return found["images"] - sum(row["correct"] for row in found["classes"])


def test_the_worst_are_those_of_a_loop_over_the_test_images(lt, place):
    run = Path(place["copy"])
    answer = lt(f"report {run} --mistakes 5 --out page.html")
    assert answer.status == 0, answer.err
    assert answer.out.splitlines() == ["page.html: 1 run", f"  {run / 'mistakes.json'}"]
    found = read_mistakes(run, 10)
    assert (found.evaluation, found.images) == ("last", evaluation(run)["images"])
    assert found.wrong == misses(run) > 5

    split = Digits(size=8).load(Path())["test"]
    predictor = Predictor.read(run / "checkpoints" / "last.ckpt", torch.device("cpu"))
    rows = list(predictor.classify(enumerate(split.images), 100))
    wrong = [row for row in rows if row.place != int(split.labels[row.name])]
    wrong.sort(key=lambda row: -float(row.probabilities[row.place]))
    for one, row in zip(found.worst, wrong, strict=False):
        chance = float(row.probabilities[row.place])
        assert one.confidence == pytest.approx(chance, abs=1e-6)
        assert (one.true, one.predicted) == (
            int(split.labels[one.place]),
            rows[one.place].place,
        )
        assert one.file is None
    assert len(found.worst) == 5
    assert "<h3>Mistakes" in Path("page.html").read_text("utf-8")
    counts = json.loads((run / "results.json").read_text("utf-8"))["data"]["class_counts"]
    shown = list(dict.fromkeys(one.true for one in found.rarest))
    assert shown == sorted(range(10), key=lambda k: (counts[k], k))[:5]
    assert all(one.predicted == rows[one.place].place for one in found.rarest)


def test_they_are_made_once(lt, place, monkeypatch):
    run = Path(place["copy"])
    assert lt(f"report {run} --mistakes 2").status == 0
    before = (run / "mistakes.json").read_bytes()
    monkeypatch.setattr(
        "lt_lightning.cli.tested.ImagesOfTest.outcome", lambda *_: pytest.fail("made again")
    )
    assert lt(f"report {run} --mistakes=2").status == 0
    assert (run / "mistakes.json").read_bytes() == before


def edited(run, change):
    file = Path(run) / "results.json"
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")


def test_what_is_there_of_held_out_images_is_made_again_after_the_test(lt, place, monkeypatch):
    run, told = Path(place["copy"]), []
    assert lt(f"test {run} --test_on held_out").status == 0
    monkeypatch.setattr("lt_lightning.cli.commands.features.tsne", lambda found: found[:, :2])
    edited(run, lambda content: told.append(content["evaluations"].pop("last")))
    assert lt(f"report {run} --mistakes 3 --features").status == 0
    label = read_mistakes(run, 10).evaluation
    assert label.startswith("last@held_out-")
    images = evaluation(run, label)["test"]["fingerprint"]
    features = read_features(run, 10)
    assert (features.evaluation, features.fingerprint) == (label, images)
    assert len(features.labels) == evaluation(run, label)["images"]

    edited(run, lambda content: content["evaluations"].update(last=told[0]))
    assert lt(f"report {run} --mistakes 3 --features").status == 0
    found, features = read_mistakes(run, 10), read_features(run, 10)
    assert (found.evaluation, features.evaluation) == ("last", "last")
    assert found.images == evaluation(run)["images"]
    assert found.fingerprint == features.fingerprint != images


def test_weights_that_were_never_tested_show_none(lt, place):
    run = place["copy"]
    assert len(evaluation(Path(run))["checkpoint"]["weights"]) == 16
    edited(run, lambda content: content["evaluations"]["last"]["checkpoint"].update(weights="f00d"))
    answer = lt(f"report {run} --mistakes 3")
    assert answer.status == 0
    assert "no test of these weights on these images: test the run by `lt test`" in answer.err
    assert not (Path(run) / "mistakes.json").exists()
    answer = lt(f"report {run} --features")
    assert (answer.status, "no test of these weights" in answer.err) == (1, True)


def test_a_saved_change_shows_its_own_mistakes(lt, place):
    answer = lt(f"test {place['copy']} --post_hoc LogitAdjuster --post_hoc.tau 3 --save_as changed")
    assert answer.status == 0, answer.err
    run = Path(place["copy"]).parents[1] / "changed" / "0"
    answer = lt(f"report {run} --mistakes --out page.html")
    assert answer.status == 0, answer.err
    found = read_mistakes(run, 10)
    (label,) = json.loads((run / "results.json").read_text("utf-8"))["evaluations"]
    assert found.evaluation == label != "last"
    assert found.wrong == misses(run, label) != misses(Path(place["copy"]))
    assert "<h3>Mistakes" in Path("page.html").read_text("utf-8")


def test_files_are_named_below_the_root(lt, files):
    answer = lt(f"report {files} --mistakes --out page.html")
    assert answer.status == 0, answer.err
    found = read_mistakes(files, 2)
    assert found.wrong == misses(files) > 0
    for one in (*found.worst, *found.rarest):
        name = ("-<i> & 'x'", "dog")[one.true]
        assert one.file == f"test/{name}/{one.place % 3}.png"
    text = Path("page.html").read_text("utf-8")
    assert "&lt;i&gt; &amp; &#39;x&#39;" in text
    assert "<i> &" not in text


class NotTested:
    """What `ImagesOfTest` asks for, of a run without results."""

    tests: ClassVar[dict] = {}

    @staticmethod
    def data():
        source = ImageFolder(image_size=8)
        data = LongTailDataModule(source=source, root="pictures", profile=AsIs())
        data.setup("test")
        return data


def test_small_pictures_have_their_files_names_too(lt, files):
    tested = ImagesOfTest(NotTested())
    name = "-<i> & 'x'"
    assert tested.file_names([0, 4]) == [f"test/{name}/0.png", "test/dog/1.png"]
    assert [image.shape for image in tested.pixels(torch.tensor([5]))] == [(3, 8, 8)]


def test_pictures_are_read_as_the_training_of_an_old_run_read_them(lt, files):
    checkpoint = files / "checkpoints" / "last.ckpt"
    content = torch.load(checkpoint, weights_only=True)
    assert data_of_checkpoint(files, checkpoint, content, [], "lt").source.reading == Reading()
    del content[DATA_STATE]["upright"]
    assert data_of_checkpoint(files, checkpoint, content, [], "lt").source.reading == AS_BEFORE


@pytest.mark.parametrize(("look", "status"), [("--features", 1), ("--mistakes", 0)])
def test_pictures_that_would_be_seen_otherwise_are_refused(lt, files, look, status):
    answer = lt(f"report {files} {look} --data.source.background [0,0,0] --out page.html")
    assert answer.status == status
    assert not (files / "mistakes.json").exists()
    assert "background [255, 255, 255] but the data have [0, 0, 0]" in answer.err


@pytest.mark.slow
def test_a_run_that_was_tested_on_held_out_images_shows_these(lt, place):
    line = f"fit {place['quick']} --name kept --data.holdout.fraction 0.1 --test_on held_out"
    assert lt(line).status == 0
    run = Path("runs/kept/0")
    answer = lt(f"report {run} --mistakes --out page.html")
    assert answer.status == 0, answer.err
    found = read_mistakes(run, 10)
    assert found.evaluation.startswith("last@held_out-")
    assert found.images == evaluation(run, found.evaluation)["images"]
    assert found.wrong == misses(run, found.evaluation)
    assert "<h3>Mistakes" in Path("page.html").read_text("utf-8")


@pytest.mark.parametrize("lost", ["pictures", "pictures/test/dog/1.png", "weights", "torn"])
def test_pictures_that_are_gone_are_left_out(lt, files, tmp_path, lost):
    if lost == "torn":
        (tmp_path / "pictures" / "test" / "dog" / "1.png").write_bytes(b"no picture")
    elif lost == "weights":
        (files / "checkpoints" / "last.ckpt").unlink()
    elif (tmp_path / lost).is_dir():
        shutil.rmtree(tmp_path / lost)
    else:
        (tmp_path / lost).unlink()
    answer = lt(f"report {files} --mistakes --out page.html")
    assert answer.status == 0, answer.err
    told = [line for line in answer.err.splitlines() if "are not shown" in line]
    assert len(told) == 1
    assert answer.out == "page.html: 1 run\n"
    assert "The pictures of files/0 are not shown: " in Path("page.html").read_text("utf-8")
    assert not (files / "mistakes.json").exists()


def test_lt_cam_draws_both_maps_of_a_mistake(lt, files, snapshot):
    answer = lt(f"cam {files} --mistakes 2 --out maps --device cpu")
    assert answer.status == 0, answer.err
    drawn = sorted(Path("maps").iterdir())
    assert f"{len(drawn)} of {misses(files)} mistakes on 6 test images" in answer.out
    assert 0 < len(drawn) <= 2
    for file in drawn:
        place = int(file.stem.rpartition("_")[2])
        true = ("_i_____x_", "dog")
        assert file.name == f"{true[place // 3]}_as_{true[1 - place // 3]}_{place}.png"
        with Image.open(file) as picture:
            assert picture.size[0] > 2 * picture.size[1]
    before = snapshot(Path("maps"))
    again = lt(f"cam {files} --mistakes 2 --out maps")
    assert (again.status, snapshot(Path("maps"))) == (1, before)
    assert "--out maps exists and is never overwritten" in again.err


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("--mistakes 3", 2, "--mistakes needs a new folder: add --out DIR"),
        ("--mistakes 0 --out x", 1, "--mistakes is 0: give 1 to 100"),
        ("--mistakes 3 --out x --threshold 0.75", 2, "--threshold is for new images"),
        ("--mistakes 3 --out x --data.root gone", 1, "gone"),
    ],
)
def test_a_mistake_in_asking_is_one_sentence(lt, files, words, status, told):
    answer = lt(f"cam {files} {words}")
    assert answer.status == status
    assert told in answer.err
    assert "Traceback" not in answer.err
    assert not Path("x").exists()


def test_of_a_long_path_the_end_is_kept():
    assert _end("a/1.png") == "a/1.png"
    assert _end("a" * 300 + "/1.png") == "…" + "a" * 193 + "/1.png"
