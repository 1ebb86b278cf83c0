"""`lt_lightning.load_run`: it says what `lt predict` writes."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from lt_runs import in_process
from PIL import Image

import lt_lightning as lt
from lt_lightning.engine.predictor import Predictor
from lt_lightning.post_hoc import LogitAdjuster


def test_predictions_are_those_of_the_command(fitted, pictures, tmp_path):
    run, _ = fitted
    out = tmp_path / "out.csv"
    words = ("--images", str(pictures), "--out", str(out), "--device", "cpu")
    answer = in_process(["predict", str(run.folder), *words])
    assert answer.status == 0, answer.err
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))

    found = run.predict(pictures)

    assert len(found) == len(rows) == 5
    assert [str(file.relative_to(pictures)) for file in found.files] == [r["file"] for r in rows]
    assert list(found.names) == [row["class"] for row in rows]
    assert [run.class_names[k] for k in found.classes.tolist()] == list(found.names)
    assert [f"{p:.9g}" for p in found.confidences.tolist()] == [r["confidence"] for r in rows]
    for row, probabilities in zip(rows, found.probabilities.tolist(), strict=True):
        written = [row[f"p:{name}"] for name in run.class_names]
        assert [f"{p:.9g}" for p in probabilities] == written


def test_images_of_every_form_are_looked_at_alike(fitted, pictures):
    run, _ = fitted
    files = [pictures / "0.png", pictures / "1.png"]
    small, large = (Image.open(file).convert("RGB") for file in files)
    wanted = run.predict(files)
    as_tensor, wide = (torch.tensor(np.array(one)).permute(2, 0, 1) for one in (small, large))

    for given in (
        [str(file) for file in files],
        [small, large],
        [as_tensor, wide / 255],
        (files[0], large),
    ):
        found = run.predict(given)
        assert torch.equal(found.probabilities, wanted.probabilities)
    assert found.files == (files[0], None)
    batch = torch.stack([as_tensor, as_tensor])
    for given, count in ((batch, 2), (batch.double() / 255, 2), (as_tensor, 1), (files[0], 1)):
        found = run.predict(given)
        assert len(found) == count
        assert found.probabilities[0].allclose(wanted.probabilities[0], rtol=1e-6)
        assert found.probabilities.dtype == torch.float64
        assert found.probabilities.sum(1).allclose(torch.ones(count, dtype=torch.float64))
    none = run.predict([])
    assert (len(none), none.probabilities.shape) == (0, (0, 10))


def test_a_model_in_training_mode_predicts_in_evaluation_mode(fitted, pictures):
    run, _ = fitted
    wanted = run.predict(pictures)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    run.model.train()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = run.predict(pictures)

    assert torch.equal(found.probabilities, wanted.probabilities)
    after = run.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ("", "images is '': give a path"),
        (3, "images is int: give a path, a folder, a PIL image"),
        (torch.zeros(2, 8, 8), "has the shape (2, 8, 8): give (3, H, W)"),
        (torch.zeros(1, 1, 8, 8), "has the shape (1, 8, 8): give (3, H, W)"),
        (torch.full((3, 8, 8), -1.5), "before they are normalised"),
        (torch.full((3, 8, 8), float("nan")), "outside of 0 to 1"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), "is torch.int64: give uint8, or floats"),
        ("nowhere.png", "The image nowhere.png cannot be read (FileNotFoundError): leave it out"),
        ([["nowhere.png"], object()], "nowhere.png cannot be read"),
        ([object()], "images is object"),
        ("{empty}", "holds no image: give one of"),
    ],
)
def test_what_is_no_image_is_said(fitted, tmp_path, images, says):
    given = str(tmp_path) if images == "{empty}" else images
    with pytest.raises(lt.UserError) as caught:
        fitted[0].predict(given)
    assert says in str(caught.value)


def test_a_batch_size_must_be_one(fitted, pictures):
    with pytest.raises(lt.UserError, match="batch_size is 0: give 1 or more"):
        fitted[0].predict(pictures, batch_size=0)


def test_the_run_is_read_with_types(fitted):
    run, _ = fitted

    results = run.results
    assert run.config == yaml.safe_load((run.folder / "config.yaml").read_text("utf-8"))
    assert results.method == "lt_lightning.methods.erm.ERM"
    assert results.seed == 0
    assert list(results.class_counts) == run.model.hparams.class_counts
    assert list(results.evaluations) == ["last", "best"]
    last = results.evaluations["last"]
    assert last.chosen_by == "last epoch"
    assert last.images == sum(row.test_images for row in last.classes)
    assert last.acc == sum(row.correct for row in last.classes) / last.images
    shares = [row.accuracy for row in last.classes]
    assert last.acc_macro == pytest.approx(sum(shares) / len(shares))
    assert [row.name for row in last.classes] == list(run.class_names)
    group = last.groups["few"]
    own = [row.accuracy for row in last.classes if row.group == "few"]
    assert (group.classes, group.acc) == (len(own), pytest.approx(sum(own) / len(own)))
    assert results.content["schema_version"] == 1


def test_the_best_weights_and_a_checkpoint_can_be_named(fitted):
    run, _ = fitted
    best = lt.load_run(run.folder, best=True, device="cpu")
    assert best.checkpoint.name == "best.ckpt"
    named = lt.load_run(run.folder / "checkpoints" / "best.ckpt", device="cpu")
    assert (named.folder, named.checkpoint) == (run.folder, best.checkpoint)
    assert lt.load_run(run.folder.parent, device="cpu").folder == run.folder


def _with_nan(folder):
    file = folder / "checkpoints" / "last.ckpt"
    content = torch.load(file, weights_only=True)
    content["state_dict"]["head.bias"].fill_(float("nan"))
    torch.save(content, file)


def _cut(folder):
    file = folder / "checkpoints" / "last.ckpt"
    file.write_bytes(file.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("spoil", "says"), [(_with_nan, "holds NaN or infinity in"), (_cut, "is damaged")]
)
def test_a_spoilt_run_is_refused(fitted, tmp_path, spoil, says):
    folder = shutil.copytree(fitted[0].folder, tmp_path / "copy")
    spoil(folder)
    with pytest.raises(lt.UserError, match=says):
        lt.load_run(folder, device="cpu")


def test_what_is_no_run_is_said(fitted, tmp_path):
    with pytest.raises(lt.UserError, match="There is no run nowhere"):
        lt.load_run("nowhere")
    for path in ("", "a" * 300, "a/" * 900):
        with pytest.raises(lt.UserError, match="RUN is "):
            lt.load_run(path)
    with pytest.raises(lt.UserError, match="device is 'tpu9'"):
        lt.load_run(fitted[0].folder, device="tpu9")
    folder = shutil.copytree(fitted[0].folder, tmp_path / "copy")
    (folder / "results.json").write_text("{}")
    with pytest.raises(lt.UserError, match="has no schema_version"):
        _ = lt.load_run(folder, device="cpu").results


def test_a_picture_is_turned_and_laid_over_white_as_a_file_is(fitted, tmp_path):
    run, _ = fitted
    pixels = np.full((8, 8, 4), (200, 30, 60, 0), dtype=np.uint8)
    pixels[:3, :, 3] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    shown = np.where(pixels[::-1, ::-1, 3:] > 0, pixels[::-1, ::-1, :3], np.uint8(255))
    with Image.open(tmp_path / "a.png") as opened:
        found = run.predict([tmp_path / "a.png", opened, Image.fromarray(shown)]).probabilities
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[1], found[2])


def test_a_changed_model_is_built_once_for_each_change(fitted, pictures, tmp_path, monkeypatch):
    run, _ = fitted
    run, read, built = lt.load_run(run.folder), Predictor.read, []
    monkeypatch.setattr(Predictor, "read", lambda *given: built.append(1) or read(*given))
    shares = {name: k + 1.0 for k, name in enumerate(run.class_names)}
    file = tmp_path / "shares.json"

    def predict(**changes):
        run.predict(pictures / "0.png", **changes)
        return len(built)

    assert [predict() for _ in range(2)] == [0, 0]
    assert [predict(post_hoc=LogitAdjuster(0.5)) for _ in range(2)] == [1, 1]
    assert predict(post_hoc=LogitAdjuster(0.6)) == 2
    assert [predict(target_prior=shares) for _ in range(2)] == [3, 3]
    for k in range(2):  # a file that says something else
        file.write_text(json.dumps({**shares, run.class_names[0]: 10.0 ** (3 * k)}))
        assert [predict(target_prior=file) for _ in range(2)] == [4 + k, 4 + k]
    assert predict() == 5
