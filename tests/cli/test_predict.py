"""What `lt predict` writes."""

import csv
import shutil
from pathlib import Path

import pytest
import torch

SHORT = " --trainer.limit_train_batches 1 --trainer.limit_test_batches 1"


def test_predict_writes_one_row_an_image(lt, place, tmp_path):
    answer = lt(f"predict {place['run']} --images {place['images']} --out deep/out.csv")

    assert answer.status == 0, answer.err
    with (tmp_path / "deep" / "out.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows][:4] == [
        "test/cat/0.png",
        "test/cat/1.png",
        "test/cat/2.png",
        "test/dog/0.png",
    ]
    assert len(rows) == 12
    for row in rows:
        chances = [float(row[f"p:{digit}"]) for digit in range(10)]
        assert sum(chances) == pytest.approx(1, abs=1e-4)
        assert float(row["confidence"]) == max(chances)
        assert row["class"] == str(chances.index(max(chances)))
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out.csv"]


def test_predict_does_not_depend_on_the_batch_size(lt, place, tmp_path):
    line = f"predict {place['run']} --images {place['images']}"

    lt(f"{line} --out a.csv")
    lt(f"{line} --out b.csv --batch_size 5")

    def numbers(name: str) -> torch.Tensor:
        with (tmp_path / name).open(encoding="utf-8") as stream:
            rows = list(csv.reader(stream))[1:]
        return torch.tensor([[float(cell) for cell in row[2:]] for row in rows])

    torch.testing.assert_close(numbers("a.csv"), numbers("b.csv"), atol=2e-6, rtol=0)


def test_predict_leaves_out_what_cannot_be_read_where_asked(lt, place, tmp_path):
    answer = lt(f"predict {place['run']} --images {place['torn']} --out x.csv --skip_unreadable")

    assert answer.status == 3, answer.err
    assert "1 of 12" in answer.err
    assert len((tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()) == 12


def test_predict_sees_the_images_that_a_training_sees(lt, place, tmp_path):
    images = tmp_path / "mine"
    shutil.copytree(Path(place["images"]) / "test" / "cat", images / "dir.png")
    (images / ".trash").mkdir()
    for name in ("._0.png", ".trash/0.png"):
        shutil.copy(images / "dir.png" / "0.png", images / name)
    (images / "lost.png").symlink_to(images / "nowhere")

    refused = lt(f"predict {place['run']} --images {images} --out x.csv")
    answer = lt(f"predict {place['run']} --images {images} --out x.csv --skip_unreadable")

    assert refused.status == 1
    assert "lost.png cannot be read" in refused.err
    assert answer.status == 3, answer.err
    lines = (tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == [f"dir.png/{k}.png" for k in range(3)]
