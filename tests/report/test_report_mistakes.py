"""mistakes.json and its pictures on the page: any names, gone pictures, damaged files."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from lt_lightning.errors import UserError
from lt_lightning.report.command import on_images, parse, report
from lt_lightning.report.mistakes_file import Mistakes, Seen, read_mistakes, write_mistakes
from lt_lightning.report.page import page
from lt_lightning.report.run import Run
from lt_lightning.report.thumbnail import data_url, is_exact, thumbnail

NAMES = ("<script>alert(1)</script>", "a\" onerror='x", "猫 & co", "d")


def pixels(side):
    return np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)


SMALL = thumbnail(pixels(8))


def mistakes(evaluation="last", file="test/<b>'\"/1.png"):
    worst = [Seen(SMALL, file, 7, 0, 1, 0.987), Seen(SMALL, None, 9, 1, 2, 0.5)]
    rarest = [Seen(SMALL, None, 3, 3, 3, 0.25), Seen(SMALL, None, 4, 3, None, 0.0)]
    return Mistakes("f00d", "last.ckpt", evaluation, 12, 400, 200, worst, rarest, "cafe")


def encoded(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return base64.b64encode(stream.getvalue()).decode()


class Pictures(HTMLParser):
    """The tags with their attributes, and the words."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data.strip())


@pytest.fixture
def run(write, results):
    """Return the folder of a made run with hostile class names."""
    return write("ce/0", results((300, 120, 50, 6), names=NAMES))


@pytest.mark.parametrize("side", [1, 8, 48, 49, 96, 500])
def test_a_thumbnail_is_small_and_read_back(side):
    text = thumbnail(pixels(side))
    kind, content = re.fullmatch(r"data:image/(png|jpeg);base64,(.+)", data_url(text)).groups()
    assert content == text
    assert is_exact(text) == (kind == "png") == (side <= 48)
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        assert picture.size == (min(side, 96),) * 2
        if side <= 48:
            assert np.array_equal(np.asarray(picture), pixels(side))


def test_the_page_shows_them_whatever_the_names(run):
    plain = page([Run.read(run)])
    assert "<h3>Mistakes" not in plain
    write_mistakes(run, mistakes())
    text = page([Run.read(run)])
    found = Pictures(text)
    shown = [tag for tag in found.tags if tag[0] == "img"]
    assert [tag[1]["alt"] for tag in shown] == [NAMES[0], NAMES[1], NAMES[3], NAMES[3]]
    assert {tag[1]["src"] for tag in shown} == {data_url(SMALL)}
    assert {key for _, attributes in shown for key in attributes} <= {
        "src", "alt", "class", "loading",
    }  # fmt: skip
    assert "script" not in {tag for tag, _ in found.tags}
    words = " ".join(found.words)
    for told in (
        "200 of 400 test images are wrong. The 2 most confident:",
        f"{NAMES[0]} taken for {NAMES[1]} , 98.7 %",
        "test/<b>'\"/1.png",
        "test image 9",
        "d: 6 training images, 1 of 2 shown are right",
        "right, 25.0 %",
        "taken for no class , 0.0 %",
    ):
        assert told in words
    assert not re.search(r"https?://", text)


def test_mistakes_of_another_test_are_not_shown(run):
    write_mistakes(run, mistakes("last+logit_adjustment_tau_1"))
    assert "<h3>Mistakes" not in page([Run.read(run)])


@pytest.mark.parametrize(
    ("checkpoint", "test", "wrong", "shown"),
    [
        ({"weights": "f00d"}, {"fingerprint": "cafe"}, 0, True),
        ({"weights": "beef"}, {"fingerprint": "cafe"}, 0, False),
        ({"weights": "f00d"}, {"fingerprint": "beef"}, 0, False),
        ({}, {"fingerprint": "beef"}, 0, False),
        ({}, {}, 1, False),  # of an earlier version, and of other weights by what they get wrong
        ({"weights": "f00d"}, {}, 1, True),
    ],
)
def test_mistakes_of_other_weights_or_images_are_not_shown(
    write, results, checkpoint, test, wrong, shown
):
    content = results((300, 120, 50, 6), names=NAMES)
    one = content["evaluations"]["last"]
    one["checkpoint"].update(checkpoint)
    one["test"] = test
    one["classes"][0]["correct"] += wrong
    run = write("ce/0", content)
    write_mistakes(run, mistakes())
    assert ("<h3>Mistakes" in page([Run.read(run)])) == shown


def test_pictures_that_are_gone_are_a_sentence_on_the_page(run, tmp_path):
    out = tmp_path / "page.html"
    _, status = report([str(run), "--out", str(out)], {run: "There is no <b>folder</b>."})
    assert status == 0
    words = Pictures(out.read_text("utf-8")).words
    assert "The pictures of ce/0 are not shown: There is no <b>folder</b>." in words


WIDE = encoded(Image.new("RGB", (97, 4)), "PNG")
DAMAGE = {
    "version": lambda c: c.update(schema_version=2),
    "no version": lambda c: c.pop("schema_version"),
    "more": lambda c: c.update(more=1),
    "less": lambda c: c.pop("wrong"),
    "many": lambda c: c.update(worst=c["worst"] * 51),
    "no list": lambda c: c.update(rarest={"a": 1}),
    "no row": lambda c: c.update(rarest=[3]),
    "class": lambda c: c["worst"][0].update(true=4),
    "below": lambda c: c["worst"][0].update(predicted=-1),
    "true": lambda c: c["worst"][0].update(true=True),
    "share": lambda c: c["worst"][0].update(confidence=1.5),
    "text": lambda c: c["worst"][0].update(confidence="1"),
    "control": lambda c: c["worst"][0].update(file="a\x1b[31m"),
    "long": lambda c: c["worst"][0].update(file="a" * 201),
    "name": lambda c: c["worst"][0].update(file=3),
    "label": lambda c: c.update(evaluation=["last"]),
    "images": lambda c: c.update(fingerprint=3),
    "count": lambda c: c.update(images=-1),
    "markup": lambda c: c["worst"][0].update(picture='"><script>alert(1)</script>'),
    "svg": lambda c: c["worst"][0].update(picture=base64.b64encode(b"<svg/>").decode()),
    "gif": lambda c: c["worst"][0].update(picture=encoded(Image.new("RGB", (4, 4)), "GIF")),
    "wide": lambda c: c["worst"][0].update(picture=WIDE),
    "torn": lambda c: c["worst"][0].update(picture=SMALL[: len(SMALL) // 8 * 4]),
    "huge": lambda c: c["worst"][0].update(picture="A" * 70_000),
    "none": lambda c: c["worst"][0].update(picture=None),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    write_mistakes(tmp_path, mistakes())
    assert read_mistakes(tmp_path, 4) == mistakes()
    file = tmp_path / "mistakes.json"
    content = json.loads(file.read_text())
    DAMAGE[damage](content)
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match="delete it and make it again by `lt report") as caught:
        read_mistakes(tmp_path, 4)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(file))


@pytest.mark.parametrize(
    ("words", "number"),
    [(["r"], None), (["r", "--mistakes"], 12), (["--mistakes=3", "r"], 3)],
)
def test_the_number_may_be_left_out(words, number):
    assert parse(words).mistakes == number
    assert on_images(words) == (number is not None)


@pytest.mark.parametrize("given", ["0", "101", "-1", "3.5", "runs/ce", "٣"])
def test_what_is_no_number_is_refused(given):
    text, status = report(["r", f"--mistakes={given}"])
    assert status == 2
    assert "is no number from 1 to 100, or RUN must stand before it" in text
