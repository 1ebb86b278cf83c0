"""`lt predict`: what it reads, what it writes, and what the exit status says."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from lt_lightning.data import Digits


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Return a folder of 60 test images of the digits, and their labels."""
    folder, split = tmp_path_factory.mktemp("digits"), Digits(size=8).load(Path())["test"]
    pixels = split.images[:60].permute(0, 2, 3, 1).numpy()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{number:02} x.png")
    return folder, split.labels[:60].tolist()


def read(file="out.csv"):
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def predict(lt, place, images, more="", out="out.csv"):
    return lt(f"predict {place['run']} --images '{images}' --out {out} --device cpu {more}")


def test_a_list_a_csv_and_a_file_are_read_as_their_folder(lt, place, digits):
    folder, labels = digits
    assert predict(lt, place, folder, out="folder.csv").status == 0
    wanted = read("folder.csv")
    names = [row["file"] for row in wanted]
    Path("names.txt").write_text("\n".join(str(folder / name) for name in names) + "\n\n")
    lines = [f"{folder / name};{y}" for name, y in zip(names, labels, strict=True)]
    Path("names.csv").write_text("\ufeffImage;Target\n" + "\n".join(lines), encoding="utf-8")

    for given in ("names.txt", "names.csv"):
        assert predict(lt, place, given, "--force --threads 3").status == 0
        rows = read()
        assert [row.pop("file") for row in rows] == [str(folder / name) for name in names]
        told = [row.pop("label", None) for row in rows]
        assert told == ([None] * 60 if given == "names.txt" else list(map(str, labels)))
        assert rows == [{k: v for k, v in row.items() if k != "file"} for row in wanted]
    assert predict(lt, place, folder / names[7], "--force").status == 0
    alone = [float(row["confidence"]) for row in read()]
    assert alone == [pytest.approx(float(wanted[7]["confidence"]), abs=1e-6)]


def test_labels_give_the_accuracy_of_the_test(lt, place, tmp_path):
    split = Digits(size=8).load(Path())["test"]
    for number, image in enumerate(split.images.permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    lines = [f"{number}.png {y}" for number, y in enumerate(split.labels.tolist())]
    Path("names.txt").write_text("\n".join(lines))

    answer = predict(lt, place, "names.txt", "--no_probabilities")

    assert answer.status == 0, answer.err
    content = json.loads((Path(place["run"]) / "results.json").read_text(encoding="utf-8"))
    found = content["evaluations"]["last"]
    overall = found["overall"]
    wanted = {"all": overall["acc"], "macro (balanced)": overall["acc_macro"]}
    wanted["top-5"] = overall["acc_top5"]
    wanted |= {name: group["acc"] for name, group in found["groups"].items()}
    told = ", ".join(f"{name} {100 * value:.2f} %" for name, value in wanted.items())
    f1 = f"macro F1 {100 * overall['f1_macro']:.2f} %"
    assert answer.out == f"Accuracy on {found['images']} labelled images: {told}; {f1}\n"
    rows = read()
    assert list(rows[0]) == ["file", "label", "class", "confidence"]
    hits = sum(row["label"] == row["class"] for row in rows)
    assert hits / len(rows) == found["overall"]["acc"]


def test_the_most_probable_classes_are_named_in_order(lt, place, digits):
    assert predict(lt, place, digits[0], "--top_k 3").status == 0
    for row in read():
        ranked = sorted(range(10), key=lambda k: -float(row[f"p:{k}"]))[:3]
        assert [row["class"], row["class_2"], row["class_3"]] == list(map(str, ranked))
        assert row["confidence_3"] == row[f"p:{ranked[2]}"]


def test_parquet_holds_the_same_numbers(lt, place, digits):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert predict(lt, place, digits[0], "--top_k 2").status == 0
    assert predict(lt, place, digits[0], "--top_k 2", out="out.parquet").status == 0
    table = parquet.read_table("out.parquet").to_pylist()
    told = [{k: f"{v:.9g}" if isinstance(v, float) else v for k, v in row.items()} for row in table]
    assert told == read()


def test_parquet_without_pyarrow_is_refused(lt, place, digits, monkeypatch):
    monkeypatch.setattr("lt_lightning.predictions.table.find_spec", lambda name: None)
    answer = predict(lt, place, digits[0], out="out.parquet")
    assert answer.status == 2
    assert "needs the package pyarrow" in answer.err


def test_what_was_left_out_is_said_by_the_exit_status(lt, place, digits, tmp_path):
    folder = Path(shutil.copytree(digits[0], tmp_path / "torn"))
    (folder / "00 x.png").write_bytes(b"no picture")
    assert predict(lt, place, folder).status == 1
    assert not Path("out.csv").exists()
    answer = predict(lt, place, folder, "--skip_unreadable")
    assert answer.status == 3
    assert "1 of 60 images cannot be read and are left out; the first: The image" in answer.err
    assert len(read()) == 59
    answer = predict(lt, place, folder / "00 x.png", "--skip_unreadable", out="none.csv")
    assert answer.status == 1
    assert "None of 1 image can be read" in answer.err
    assert not Path("none.csv").exists()


LISTS = {  # content, what is said
    "empty.txt": ("\n\n", "names no image"),
    "head.csv": ("file,label\n", "names no image"),
    "other.csv": ("picture,label\na.png,1\n", "has no column of files (it has picture, label)"),
    "short.csv": ("file,label\n0.png,1\n1.png\n", "Line 3 of short.csv has 1 of 2 cells"),
    "nameless.csv": ("file,label\n,1\n", "Line 2 of nameless.csv names no file"),
    "class.csv": (
        "file,label\n{0},owl\n",
        "is 'owl', which is no class of the run: the run has 10",
    ),
    "beyond.txt": ("{0} 10\n", "is '10', which is no class"),
    "half.txt": ("{0} 1\n{0}\n", "Line 2 of half.txt has no label but the first has one"),
    "gone.txt": ("gone.png\n", "gone.png cannot be read"),
    "wide.csv": ("file,label\n0,5.png,1\n", "has 3 cells but the first line names 2 columns"),
    "twice.csv": ("file,label,label\n{0},1,2\n", "has 2 columns 'label': rename all but one"),
    "bytes.csv": (b"file\n\xff\xfe.png\n", "is no text in UTF-8"),
    "open.csv": ('file,label,note\n{0},1,\n{0},1,"5 inch\n{0},1,\n', "mend its quotation marks"),
    "list.parquet": ("PAR1", "is no list that is read"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_cannot_be_read_is_named(lt, place, digits, name):
    content, says = LISTS[name]
    shutil.copy(digits[0] / "00 x.png", "0.png")
    data = content if isinstance(content, bytes) else content.format("0.png").encode()
    Path(name).write_bytes(data)
    answer = predict(lt, place, name)
    assert answer.status == 1, answer.out
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("out.csv").exists()


def test_rows_without_any_cell_are_no_rows_as_in_training(lt, place, digits):
    path = digits[0] / "00 x.png"
    Path("list.csv").write_text(f"\n;\r\nnote; file \n;;\n;{path}\n\n ; \n; {path} \n;")
    assert predict(lt, place, "list.csv").status == 0
    assert [row["file"] for row in read()] == [str(path)] * 2


@pytest.mark.parametrize(
    ("more", "says", "status"),
    [
        ("--out out.xlsx", "out.xlsx ends in .xlsx: give a name that ends in .csv or .parquet", 2),
        ("--out out", "out has no ending", 2),
        ("--out out.csv --top_k 11", "--top_k is 11 but the run has 10 classes", 1),
        ("--out out.csv --threads 0", "--threads is 0: give 1 or more", 1),
        ("--out list.csv --force", "is what --images names", 1),
        ("--out out.csv --images .. --label_column kind", "of a CSV, and .. is none", 1),
        ("--out out.csv --images ''", "--images has an empty value", 2),
        ("--out {run}/metrics.csv --force", "is the record of a run", 1),
        ("--out=", "--out has an empty value", 2),
        ("--out out.csv --label_column kind", "has no column 'kind' (--label_column)", 1),
    ],
)
def test_what_cannot_be_written_is_refused(lt, place, digits, more, says, status):
    Path("list.csv").write_text(f"file\n{digits[0] / '00 x.png'}\n")
    more = more.format(run=place["run"])
    answer = lt(f"predict {place['run']} --images list.csv --device cpu {more}")
    assert (answer.status, says in answer.err) == (status, True), answer.err
    assert [file.name for file in Path().glob("*.*")] == ["list.csv"]
