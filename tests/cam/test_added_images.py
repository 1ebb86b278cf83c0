"""Added images are training images only, drawn by the rules that ask for them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import chisquare

from lt_lightning.cam.store import write_added
from lt_lightning.data import Digits, Exponential, Holdout, ImageFolder, LongTailDataModule
from lt_lightning.data.added_images import ABOUT, ARRAY, AddedImages
from lt_lightning.errors import UserError
from lt_lightning.samplers import (
    ClassBalanced,
    EpochSampler,
    InstanceBalanced,
    Power,
    ProgressivelyBalanced,
    SquareRoot,
    StepSwitch,
    WithAdded,
)
from lt_lightning.stages import Stage

NEW = [0, 2, 0, 5, 1, 1, 1, 1, 1, 8]


def digits(**options):
    return LongTailDataModule(
        source=Digits(size=8),
        profile=Exponential(imbalance_ratio=20),
        holdout=Holdout(fraction=0.1),
        batch_size=32,
        augment=None,
        **options,
    )


def write(folder, fingerprint, size=8, as_files=False, counts=NEW):
    """Write added images whose red is their label and whose green is their number."""
    labels = torch.repeat_interleave(torch.tensor(counts))
    images = torch.full((len(labels), 3, size, size), 255, dtype=torch.uint8)
    images[:, 0] = labels.to(torch.uint8)[:, None, None]
    images[:, 1] = torch.arange(len(labels), dtype=torch.uint8)[:, None, None]
    about = {"fingerprint": fingerprint, "image_size": size, "counts": counts, "made": {}}
    write_added(folder, labels, torch.split(images, 6), about, b"", as_files=as_files)
    return folder


@pytest.fixture(scope="module")
def plain():
    data = digits()
    data.setup("fit")
    return data


@pytest.fixture
def folder(plain, tmp_path):
    return write(tmp_path / "added", plain.fingerprint)


def drawn(data):
    """Return images and labels of the next epoch."""
    images, labels = zip(*data.train_dataloader(), strict=True)
    return torch.cat(images), torch.cat(labels)


def is_new(data, images):
    blue = data.normalize(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8))[0, 2]
    red_is_less = images[:, 0, 0, 0] < images[:, 2, 0, 0]
    return (images[:, 2].flatten(1) == blue).all(1) & red_is_less


def test_facts_of_the_data_stay_those_of_the_originals(plain, folder):
    data = digits(sampler=WithAdded(), added_images=str(folder))
    data.setup("fit")
    assert data.fingerprint == plain.fingerprint
    assert torch.equal(data.class_counts, plain.class_counts)
    assert data.groups == plain.groups
    assert data.facts() == plain.facts()
    for split in ("train", "val", "test"):
        found, expected = data.whole(split).images, plain.whole(split).images
        assert torch.equal(found.labels, expected.labels)
        assert torch.equal(found.images, expected.images)
    assert len(data.train_dataloader()) == len(plain.train_dataloader())


def test_joined_images_are_originals_then_new_ones(plain, folder):
    originals = plain.whole("train").images
    both = AddedImages(folder).after(originals, plain.facts())
    assert torch.equal(both.images[: len(originals)], originals.images)
    new = both.select(torch.arange(len(originals), len(both)))
    assert torch.bincount(new.labels, minlength=10).tolist() == NEW
    assert torch.equal(new.images[:, 0, 0, 0].long(), new.labels)
    assert new.images[:, 1, 0, 0].tolist() == list(range(sum(NEW)))


def test_epochs_before_the_switch_have_no_added_image(plain, folder):
    data = digits(sampler=StepSwitch(at=2, after=WithAdded()), added_images=str(folder))
    data.setup("fit")
    loader = data.train_dataloader()
    loader.sampler.max_epochs = 3
    counts = []
    for epoch in range(3):
        loader.sampler.set_epoch(epoch)
        counts.append(int(is_new(data, torch.cat([images for images, _ in loader])).sum()))
    assert counts[:2] == [0, 0]
    assert counts[2] > 0
    images, _ = drawn(plain)
    loader.sampler.set_epoch(0)
    assert torch.equal(torch.cat([found for found, _ in loader]), images), "the same first epochs"


def test_rule_without_added_images_draws_what_it_drew(plain, folder):
    sampled = [
        EpochSampler(rule, labels, num_classes=10, added=added).global_indices()
        for rule in (InstanceBalanced(), SquareRoot())
        for labels, added in (
            (plain.whole("train").images.labels, 0),
            (AddedImages(folder).after(plain.whole("train").images, plain.facts()).labels, 19 + 1),
        )
    ]
    assert torch.equal(sampled[0], sampled[1])
    assert torch.equal(sampled[2], sampled[3])


@pytest.mark.parametrize(
    ("rule", "shares"),
    [
        (ClassBalanced(), [1 / 3, 1 / 3, 1 / 3]),
        (SquareRoot(), [4 / 8, 3 / 8, 1 / 8]),
        (ProgressivelyBalanced(), [16 / 26, 9 / 26, 1 / 26]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_classes_are_drawn_by_original_counts_and_images_evenly(rule, shares):
    old, new = [16, 9, 1], [0, 7, 15]
    labels = torch.cat([torch.repeat_interleave(torch.tensor(n)) for n in (old, new)])
    sampler = EpochSampler(WithAdded(rule), labels, added=sum(new), max_epochs=5)
    assert len(sampler) == sum(old)
    sampler = EpochSampler(
        WithAdded(rule), labels, added=sum(new), max_epochs=5, num_samples=20_000
    )
    seen = torch.bincount(sampler.global_indices(), minlength=len(labels)).numpy()
    each = np.array([p / (a + b) for p, a, b in zip(shares, old, new, strict=True)])
    assert chisquare(seen, 20_000 * each[labels.numpy()]).pvalue > 1e-3


def test_the_shares_of_a_run_are_those_of_original_and_added_images_as_drawn(folder):
    for rule in (WithAdded(Power(0.5)), StepSwitch(before=Power(0.5), after=WithAdded())):
        data = digits(sampler=rule, added_images=str(folder), epoch_length=4000)
        data.setup("fit")
        stage = Stage(1, 0, 5)
        loader = data.train_loaders(stage)[""]
        for epoch in (0, 4):
            loader.sampler.set_epoch(epoch)
            labels = torch.cat([labels for _, labels in loader])
            found = torch.bincount(labels, minlength=10).double() / len(labels)
            torch.testing.assert_close(
                data.drawn_shares("", stage, epoch), found, atol=0.03, rtol=0
            )


def test_test_needs_no_folder(plain, tmp_path):
    data = digits(sampler=WithAdded(), added_images=str(tmp_path / "gone"))
    data.setup("test")
    assert torch.equal(data.whole("test").images.labels, plain.whole("test").images.labels)


def test_files_are_drawn_like_the_source_s_own(tmp_path):
    for split in ("train", "test"):
        for label, name in enumerate(("cat", "dog")):
            for k in range(4 - 2 * label):
                file = tmp_path / "images" / split / name / f"{k}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (16, 16), (90, 90, 90 + k)).save(file)
    source = ImageFolder(image_size=16, in_memory=False)
    options = {"source": source, "root": str(tmp_path / "images"), "workers": 0, "augment": None}
    profile = Exponential(imbalance_ratio=2)
    before = LongTailDataModule(profile=profile, **options)
    before.setup("fit")
    folder = write(tmp_path / "added", before.fingerprint, 16, True, [0, 2])
    data = LongTailDataModule(
        profile=profile, sampler=WithAdded(), added_images=str(folder), epoch_length=60, **options
    )
    data.setup("fit")
    images, labels = drawn(data)
    new = is_new(data, images)
    assert set(labels[new].tolist()) == {1}
    share = float(new[labels == 1].float().mean())
    assert 0.25 < share < 0.75  # two of four images


def _message(folder, sampler, **options):
    data = digits(sampler=sampler, added_images=folder and str(folder), **options)
    with pytest.raises(UserError) as error:
        data.setup("fit")
    return str(error.value)


def test_sampler_without_its_images_is_refused_and_images_without_their_sampler(folder):
    assert "needs data.added_images: make them by `lt cam RUN`" in _message(None, WithAdded())
    late = StepSwitch(at=1, after=WithAdded())
    assert "needs data.added_images" in _message(None, late)
    assert "no sampler draws from it" in _message(folder, ClassBalanced())


def test_images_of_other_data_are_refused(plain, tmp_path):
    other = write(tmp_path / "other", "0123456789abcdef")
    found = _message(other, WithAdded())
    assert f"the images 0123456789abcdef but the training images are {plain.fingerprint}" in found


def test_images_of_another_size_are_refused(plain, tmp_path):
    large = write(tmp_path / "large", plain.fingerprint, size=12)
    assert "12 pixels a side but the training images 8" in _message(large, WithAdded())


def test_folder_that_is_none_is_refused(tmp_path):
    assert f"holds no {ABOUT}" in _message(tmp_path, WithAdded())


def test_files_are_refused_where_the_images_are_in_memory(plain, tmp_path):
    files = write(tmp_path / "files", plain.fingerprint, as_files=True)
    assert "has no images for a source in memory" in _message(files, WithAdded())


@pytest.mark.parametrize("damage", ["cut", "json", "keys", "labels", "pixels"])
def test_damaged_folder_is_refused(folder, damage):
    about = json.loads((folder / ABOUT).read_text())
    with np.load(folder / ARRAY) as stored:
        images, labels = stored["images"], stored["labels"]
    if damage == "cut":
        (folder / ARRAY).write_bytes((folder / ARRAY).read_bytes()[:500])
    elif damage == "json":
        (folder / ABOUT).write_text("{")
    elif damage == "keys":
        (folder / ABOUT).write_text(json.dumps({**about, "counts": None}))
    elif damage == "labels":
        np.savez(folder / ARRAY, images=images, labels=labels[::-1])
    else:
        np.savez(folder / ARRAY, images=images[:, :, :4], labels=labels)
    assert "is damaged: remove" in _message(folder, WithAdded())


def test_nothing_is_left_of_a_folder_that_could_not_be_written(plain, tmp_path):
    def batches():
        yield torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
        raise UserError("enough")

    for as_files in (False, True):
        with pytest.raises(UserError, match="enough"):
            write_added(
                tmp_path / "new", torch.zeros(2).long(), batches(), {}, b"", as_files=as_files
            )
    assert not list(tmp_path.iterdir())
