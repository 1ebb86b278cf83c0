"""Whatever Pillow opens keeps its greys, and is read again as it was."""

import struct

import numpy as np
import pytest
from PIL import Image
from pixel_files import found, png

from lt_lightning.augment import Normalize
from lt_lightning.data import AsIs, Digits, ImageFolder, LongTailDataModule
from lt_lightning.data.decode import Unreadable, read_image
from lt_lightning.data.pixels import Unclear, rgb
from lt_lightning.data.reading import AS_BEFORE, Reading, read_as
from lt_lightning.data.reading import reading as reading_now
from lt_lightning.engine.seen_data import check_same
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import DATA_STATE

GREY = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
RED, BLUE = (200, 40, 10), (10, 60, 250)


def grey_of(path, **options):
    pixels = found(path, **options)
    assert (pixels == pixels[:, :, :1]).all()
    return pixels[:, :, 0]


def deep(path, values, **options):
    Image.fromarray(values.astype(np.uint16)).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm", "a.jp2", "big.tif"])
def test_16_bits_of_grey_keep_their_high_byte(tmp_path, name):
    values = GREY.astype(np.uint16) * 257
    path = tmp_path / name
    if name == "big.tif":
        Image.fromarray(values.astype(">u2")).save(path)
    else:
        deep(path, values, **({"irreversible": False} if name == "a.jp2" else {}))
    assert np.array_equal(grey_of(path), GREY)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_12_bits_in_16_are_refused_and_read_where_it_is_said(tmp_path, name):
    """Trap: they come out nearly black."""
    path = deep(tmp_path / name, GREY.astype(np.uint16) * 16 + 5)
    with pytest.raises(Unreadable, match=rf"{name} has 16 bits of grey but none above 40\d\d.*"):
        grey_of(path)
    with pytest.raises(Unreadable, match=r"--data\.source\.grey_bits 12 .* 16 to take it so\.$"):
        grey_of(path)
    assert np.array_equal(grey_of(path, grey_bits=12), GREY)
    assert np.array_equal(grey_of(path, grey_bits=16), GREY // 16)
    with pytest.raises(Unreadable, match="more than the 10 bits of grey_bits"):
        grey_of(path, grey_bits=10)


def test_a_black_picture_of_16_bits_is_one(tmp_path):
    assert not grey_of(deep(tmp_path / "a.png", np.zeros((8, 8)))).any()


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("most", [1023, 4095, 65535])
def test_pgm_says_its_largest_grey(tmp_path, most, plain):
    values = (GREY.astype(np.int64) * most) // 255
    numbers = " ".join(map(str, values.flatten())).encode()
    body = numbers if plain else values.astype(">u2").tobytes()
    (tmp_path / "a.pgm").write_bytes(f"P{2 if plain else 5} 8 8 {most}\n".encode() + body)
    for bits in (None, 12, 16):
        if bits != 12 or most < 65535:
            seen = grey_of(tmp_path / "a.pgm", grey_bits=bits)
            assert np.abs(seen.astype(int) - GREY).max() <= 1


def tiff(path, rows, bits, photometric=1, sample=1):
    """Write a TIFF of one strip, as Pillow does not."""
    tags = [
        *((256, 8), (257, 8), (258, bits), (259, 1), (262, photometric), (273, 200), (277, 1)),
        *((278, 8), (279, len(rows)), (339, sample)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + b"\0" * 4
    path.write_bytes(head.ljust(200, b"\0") + rows)
    return path


def test_tiff_says_that_it_has_12_bits(tmp_path):
    values = (GREY.astype(int) * 16 + 7).flatten().tolist()
    packed = b"".join(
        ((a << 12) | b).to_bytes(3, "big") for a, b in zip(*[iter(values)] * 2, strict=True)
    )
    assert np.array_equal(grey_of(tiff(tmp_path / "a.tif", packed, 12)), GREY)


def test_tiff_whose_zero_is_white_is_turned_round(tmp_path):
    rows = (GREY.astype("<u2") * 257).tobytes()
    assert np.array_equal(grey_of(tiff(tmp_path / "a.tif", rows, 16, photometric=0)), 255 - GREY)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_signed_samples_are_refused(tmp_path, bits):
    path = tiff(tmp_path / "a.tif", GREY.astype(f"<i{bits // 8}").tobytes(), bits, sample=2)
    with pytest.raises(Unreadable, match=r"a\.tif has signed samples: convert it to 8 bits"):
        found(path)


@pytest.mark.parametrize("name", ["a.tif", "a.pfm"])
def test_floating_point_is_refused(tmp_path, name):
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / name)
    with pytest.raises(Unreadable, match=r"has floating-point samples: convert it to 8 bits"):
        found(tmp_path / name)


def test_whole_numbers_of_32_bits_are_refused(tmp_path):
    path = tiff(tmp_path / "a.tif", GREY.astype("<u4").tobytes(), 32)
    with pytest.raises(Unreadable, match=r"a\.tif has 32-bit samples: convert it to 8 bits"):
        found(path)
    wide = Image.fromarray(GREY.astype(np.int32) * 257)  # as an older Pillow opens 16 bits
    assert np.array_equal(np.asarray(rgb(wide, Reading()))[:, :, 0], GREY)
    for values in (GREY.astype(np.int32) * 70_000, GREY.astype(np.int32) - 9):
        with pytest.raises(Unclear, match=r"has greys from -?\d+ to \d+$"):
            rgb(Image.fromarray(values), Reading())


def colours_of_16_bits(path, kind, most):
    """Write a picture whose samples are all `most` of 65535, but for an alpha that is full."""
    numbers = {"RGB png": (2, 3), "LA png": (4, 2), "RGBA png": (6, 4)}
    if kind.endswith("png"):
        code, channels = numbers[kind]
        alpha = struct.pack(">H", 65535) if channels % 2 == 0 else b""
        row = (struct.pack(">H", most) * (channels - bool(alpha)) + alpha) * 8
        png(path, 16, code, [row] * 8)
    elif kind == "ppm":
        path.write_bytes(b"P6 8 8 65535\n" + struct.pack(">H", most) * 192)
    else:
        Image.new("L", (8, 8), most >> 8).save(path, bpc=2)
    return path


@pytest.mark.parametrize("kind", ["RGB png", "LA png", "RGBA png", "ppm", "sgi"])
@pytest.mark.parametrize(
    ("most", "dark"),
    [(0, False), (256, True), (4000, True), (4095, True), (4608, False), (60_000, False)],
)
def test_nearly_black_colours_of_16_bits_are_refused(tmp_path, kind, most, dark):
    """Trap: Pillow keeps the high byte of a channel, in which 12 bits have 4."""
    path = colours_of_16_bits(tmp_path / f"a.{kind[-3:]}", kind, most)
    if dark:
        with pytest.raises(Unreadable, match=r"16 bits a channel but no value above 4095"):
            found(path)
    seen = found(path, grey_bits=16 if dark else None)
    assert np.abs(seen.astype(int) - (most >> 8)).max() <= 1


@pytest.mark.parametrize("kind", ["RGB png", "LA png", "RGBA png", "sgi"])
def test_the_least_colour_that_12_bits_do_not_hold_is_taken(tmp_path, kind):
    assert (found(colours_of_16_bits(tmp_path / f"a.{kind[-3:]}", kind, 4096)) == 16).all()


SAVED = {  # by mode: files that hold it
    "1": "a.png a.tif a.pbm a.bmp a.gif a.pcx a.xbm a.msp",
    "L": "a.png a.jpg a.pgm a.tif a.bmp a.gif a.webp a.tga a.sgi a.jp2 a.pcx a.dds a.ico",
    "P": "a.png a.gif a.bmp a.tif a.tga a.pcx",
    "RGB": "a.png a.jpg a.jfif a.jpe a.jp2 a.j2k a.ppm a.pnm a.tif a.bmp a.dib a.webp a.avif a.tga "
    "a.qoi a.sgi a.pcx a.dds a.ico a.icns a.apng",
    "CMYK": "a.jpg a.tif",
    "YCbCr": "a.jpg a.tif",
    "LAB": "a.tif",
}
CASES = [(mode, name) for mode, names in SAVED.items() for name in names.split()]


@pytest.mark.parametrize(("mode", "name"), CASES)
def test_every_mode_is_read_or_named(tmp_path, mode, name):
    side = 16 if name.endswith(("ico", "icns")) else 8
    half = np.full((side, side, 3), 250, dtype=np.uint8)
    half[:, : side // 2] = (10, 10, 10)
    image = Image.fromarray(half)
    if mode == "LAB":
        image = Image.merge("LAB", [image.getchannel(0)] * 3)
    else:
        image = image.quantize(4) if mode == "P" else image.convert(mode)
    try:
        image.save(tmp_path / name)
    except (OSError, KeyError):
        pytest.skip(f"this Pillow writes no {mode} into {name}")
    if mode == "LAB":
        with pytest.raises(Unreadable, match=r"has L\*a\*b\* samples: convert it to 8 bits"):
            read_image(tmp_path / name, side)
        return
    pixels = read_image(tmp_path / name, side).numpy().astype(int)
    assert pixels[:, :, :2].max() < 40
    assert pixels[:, :, -2:].min() > 215


def test_no_other_program_is_started_for_an_image(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EOF\n")
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("started"))
    with pytest.raises(Unreadable, match=r"cannot be read \(UnidentifiedImageError\)"):
        found(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"background": (0, 0)}, r"background is \[0, 0\]"),
        ({"background": (0, 0, 256)}, r"background is \[0, 0, 256\]: give red, green and blue"),
        ({"background": (-1, 0, 0)}, "background is"),
        ({"grey_bits": 7}, "grey_bits is 7: give 8 to 16"),
        ({"grey_bits": 17}, "grey_bits is 17"),
    ],
)
def test_numbers_out_of_range_are_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        ImageFolder(**options)


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_source_reads_by_its_options(split_tree, in_memory):
    root = split_tree({"a": 1, "b": 1}, {"a": 1, "b": 1})
    for path in root.rglob("*.png"):
        Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save(path)
    for colour in (BLUE, RED):  # one after the other, so that the cache must tell them apart
        source = ImageFolder(8, in_memory=in_memory, background=colour)
        images = source.load(root)["train"]
        seen = images.images[0] if in_memory else images.read(images.paths[0], False)
        assert seen[:, 0, 0].tolist() == list(colour)


def test_a_checkpoint_gives_the_reading_back():
    for reading in (Reading(), Reading(BLUE, 12), AS_BEFORE):
        assert Reading.of(reading.facts()) == reading
    assert Reading.of({"image_size": 8}) == AS_BEFORE, "an old one"
    for saved, wanted in (
        ({"image_size": 8}, AS_BEFORE),
        (AS_BEFORE.facts(), AS_BEFORE),  # an old one that was gone on with
        (Reading(BLUE, 12).facts(), Reading()),
    ):
        with read_as(saved):
            assert reading_now(Reading().background, None) == wanted


def test_data_that_are_read_otherwise_are_no_data_of_a_checkpoint(split_tree):
    root = split_tree({"a": 1, "b": 1}, {"a": 1, "b": 1})

    def built(source, **options):
        data = LongTailDataModule(source, str(root), AsIs(), **options)
        data.setup("test")
        return data

    data = built(ImageFolder(8))
    saved = data.facts()
    check_same({DATA_STATE: saved}, data)
    old = {key: value for key, value in saved.items() if key not in AS_BEFORE.facts()}
    for facts in (old, {**saved, **AS_BEFORE.facts()}):
        with pytest.raises(UserError, match=r"background null but the data have \[255, 255, 255\]"):
            check_same({DATA_STATE: facts}, data)
        with read_as(facts):
            check_same({DATA_STATE: facts}, built(ImageFolder(8)))
    for other in (ImageFolder(8, background=BLUE), ImageFolder(8, grey_bits=12), ImageFolder(9)):
        with pytest.raises(UserError, match="was trained on images of"):
            check_same({DATA_STATE: saved}, built(other))
    with pytest.raises(UserError, match="was trained on images of mean"):
        check_same({DATA_STATE: saved}, built(ImageFolder(8), normalize=Normalize((0, 0, 0))))


def test_an_old_checkpoint_goes_with_a_source_that_reads_no_files():
    data = LongTailDataModule(Digits(size=8))
    data.setup("test")
    saved = {k: v for k, v in data.facts().items() if k not in AS_BEFORE.facts()}
    check_same({DATA_STATE: saved}, data)


def _as_it_was(path):
    """Return the pixels that were seen before there was a choice, as the code of then had it."""
    with Image.open(path) as image:
        if image.mode.startswith("I"):
            high = np.asarray(image).astype(np.int64).clip(0, 65535) >> 8
            image = Image.fromarray(high.astype(np.uint8))
        elif image.mode == "P" and "transparency" in image.info:
            image = image.convert("RGBA")
        return np.asarray(image.convert("RGB"))


def _deep_in(tmp_path):
    """Yield files whose meaning is now asked for, turned, laid over a colour or refused."""
    whole = GREY.astype("<u2") * 257
    for photometric in (0, 1):
        path = tmp_path / f"{photometric}.tif"
        yield tiff(path, whole.tobytes(), 16, photometric=photometric)
        yield tiff(tmp_path / f"8_{photometric}.tif", GREY.tobytes(), 8, photometric=photometric)
    yield tiff(tmp_path / "signed.tif", (whole // 2 - 9).astype("<i2").tobytes(), 16, sample=2)
    yield tiff(tmp_path / "32.tif", whole.astype("<u4").tobytes(), 32)
    packed = b"".join((int(v) << 12 | 7).to_bytes(3, "big") for v in GREY.flatten()[:32])
    yield tiff(tmp_path / "12.tif", packed, 12)
    yield deep(tmp_path / "dark.png", whole // 16)
    yield colours_of_16_bits(tmp_path / "dark_colours.png", "RGB png", 4000)
    for most in (1023, 4095, 65535):
        values = (GREY.astype(np.int64) * most) // 255
        (tmp_path / f"{most}.pgm").write_bytes(
            f"P5 8 8 {most}\n".encode() + values.astype(">u2").tobytes()
        )
        yield tmp_path / f"{most}.pgm"
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "real.tif")
    Image.merge("LAB", [Image.fromarray(GREY)] * 3).save(tmp_path / "lab.tif")
    clear = Image.fromarray(np.dstack([GREY] * 4))
    clear.save(tmp_path / "clear.png")
    clear.convert("LA").save(tmp_path / "clear_grey.png")
    clear.quantize(9).save(tmp_path / "clear.gif", transparency=0)
    Image.fromarray(GREY).save(tmp_path / "key.png", transparency=0)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(GREY).save(tmp_path / "turned.jpg", exif=turned)
    yield from (
        tmp_path / name
        for name in "real.tif lab.tif clear.png clear_grey.png clear.gif key.png turned.jpg".split()
    )


def test_an_old_checkpoint_reads_as_it_did(tmp_path):
    """Trap: what is asked of a file since then must not reach a network that never saw it so."""
    for path in _deep_in(tmp_path):
        seen = read_image(path, 8, reading=AS_BEFORE).permute(1, 2, 0).numpy()
        assert np.array_equal(seen, _as_it_was(path)), path.name
