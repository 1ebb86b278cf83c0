"""The data module: what is known before the images are read, and what its loaders give."""

import pytest
import torch

from lt_lightning.augment import RandomCropFlip
from lt_lightning.data import AsIs, Digits, Exponential, Holdout, ImageFolder, LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.samplers import ClassBalanced, InstanceBalanced, OverSampling, Reversed

COUNTS = [119, 77, 50, 32, 21, 13, 8, 5, 3, 2]  # int(120.1 * (1/50)^(j/9)), 119 are there


def digits(**kwargs):
    return LongTailDataModule(Digits(8), **{"profile": Exponential(50), "seed": 0, **kwargs})


def ready(**kwargs):
    data = digits(**kwargs)
    data.setup("fit")
    return data


class Trainer:
    """Just what the data module asks of Lightning's trainer."""

    def __init__(self, rank, world):
        self.global_rank, self.world_size, self.max_epochs = rank, world, 5
        self.current_epoch, self.lightning_module, self.overfit_batches = 0, None, 0.0
        self.strategy = type("Strategy", (), {"root_device": torch.device("cpu")})


def on_process(rank, world, **kwargs):
    data = digits(**kwargs)
    data.trainer = Trainer(rank, world)
    data.setup("fit")
    return data


def test_facts_are_known_right_after_construction():
    data = digits()
    assert data.class_counts.tolist() == COUNTS
    assert data.class_counts.dtype == torch.int64
    assert data.num_classes == 10
    assert data.class_names == list("0123456789")
    assert data.groups == {"many": [0], "medium": [1, 2, 3, 4], "few": [5, 6, 7, 8, 9]}
    assert not data._splits, "no image was kept for that"


def test_held_out_images_are_not_in_the_counts():
    assert digits(holdout=Holdout(per_class=1)).class_counts.tolist()[-3:] == [4, 2, 1]


def test_epoch_has_as_many_images_as_the_subset_unless_asked_otherwise():
    def images(**kwargs):
        return sum(len(labels) for _, labels in ready(**kwargs).train_dataloader())

    assert images() == 330
    assert images(sampler=ClassBalanced()) == 330
    assert images(sampler=OverSampling()) == 10 * 119
    assert images(epoch_length=50) == 50
    assert images(epoch_length=1000) == 1000
    assert images(batch_size=100, drop_last=True) == 300


def test_batch_size_is_divided_by_the_processes():
    for world in (1, 2, 4):
        loader = on_process(0, world, batch_size=64).train_dataloader()
        assert len(next(iter(loader))[1]) == 64 // world
    with pytest.raises(UserError, match="batch_size 64 cannot be divided by 3 processes"):
        on_process(0, 3, batch_size=64).train_dataloader()


@pytest.mark.parametrize("world", [1, 2, 3])
def test_evaluation_on_many_processes_sees_each_image_once(world):
    seen = [
        len(labels)
        for rank in range(world)
        for _, labels in on_process(rank, world, eval_batch_size=300).test_dataloader()
    ]
    assert sum(seen) == 596
    assert len(seen) == max(2, world)


def test_batch_that_cannot_be_filled_is_told():
    with pytest.raises(UserError, match=r"batch_size 500 with drop_last .* 330 images"):
        ready(batch_size=500, drop_last=True).train_dataloader()


def first_epoch(data):
    return list(data.train_dataloader())


def same(first, second):
    return all(
        torch.equal(a, c) and torch.equal(b, d)
        for (a, b), (c, d) in zip(first, second, strict=True)
    )


def test_batches_depend_on_the_seed_and_not_on_global_random_state():
    wanted = first_epoch(ready(seed=1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        assert same(first_epoch(ready(seed=1)), wanted)
    assert not same(first_epoch(ready(seed=2)), wanted)


def test_seed_of_the_run_is_taken_where_none_is_given(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "1")
    assert same(first_epoch(ready(seed=None)), first_epoch(ready(seed=1)))


def test_training_images_are_augmented_and_others_are_not():
    data = ready(augment=RandomCropFlip(padding=2), batch_size=330)
    plain = ready(augment=None, batch_size=330)
    ((shifted, labels),), ((straight, same_labels),) = first_epoch(data), first_epoch(plain)
    assert torch.equal(labels, same_labels)
    assert not torch.equal(shifted, straight)
    for split in ("train", "test"):
        assert same(data.eval_loader(split), plain.eval_loader(split))


def test_named_samplers_give_a_batch_of_each_stream():
    streams = {"uniform": InstanceBalanced(), "reversed": Reversed()}
    loader = ready(samplers=streams, batch_size=110).train_dataloader()
    batches = [batch for batch, _, _ in loader]
    assert [set(batch) for batch in batches] == [{"uniform", "reversed"}] * 3
    counts = {
        name: torch.bincount(torch.cat([b[name][1] for b in batches]), minlength=10)
        for name in streams
    }
    assert torch.equal(counts["uniform"], ready().class_counts)
    assert counts["reversed"][-1] > counts["reversed"][0]


def test_fingerprint_of_digits_does_not_change():
    assert ready().fingerprint == "8b7ba0c747020719"


def test_fingerprint_is_of_the_subset_and_not_of_the_training():
    wanted = ready().fingerprint
    same_images = [{"seed": 5}, {"batch_size": 7}, {"sampler": Reversed()}, {"augment": None}]
    assert {ready(**kwargs).fingerprint for kwargs in same_images} == {wanted}
    others = [{"subset_seed": 1}, {"profile": Exponential(20)}, {"profile": AsIs()}]
    others += [{"holdout": Holdout(per_class=1)}, {"holdout": Holdout(per_class=1, seed=1)}]
    assert len({wanted, *(ready(**kwargs).fingerprint for kwargs in others)}) == 6


def test_fingerprint_of_a_folder_holds_its_file_names(split_tree):
    def of(root):
        data = LongTailDataModule(ImageFolder(8), root=str(root), profile=AsIs())
        data.setup("fit")
        return data.fingerprint

    shape = {"a": 3, "b": 2}
    first, second = (split_tree(shape, shape, root=name) for name in ("first", "second"))
    assert of(first) == of(second), "wherever the folder lies"
    (second / "train/b/001.png").rename(second / "train/b/002.png")
    assert of(first) != of(second)


def test_own_validation_split_of_a_folder_is_used(split_tree, tree):
    root = str(split_tree({"a": 3, "b": 2}, {"a": 1, "b": 1}))
    tree(["val/a/0.png", "val/b/0.png", "val/b/1.png"])
    data = LongTailDataModule(ImageFolder(8), root=root, profile=AsIs())
    assert data.has_validation
    data.setup("fit")
    ((_, labels),) = list(data.val_dataloader())
    assert labels.tolist() == [0, 1, 1]
    for extra in ({"holdout": Holdout(per_class=1)}, {"monitor_test": True}):
        with pytest.raises(UserError, match=r"validation split of its own.*give one"):
            LongTailDataModule(ImageFolder(8), root=root, profile=AsIs(), **extra).setup("fit")


def test_second_setup_reads_nothing_again(monkeypatch):
    data = ready()
    monkeypatch.setattr(Digits, "load", lambda self, root: pytest.fail("read again"))
    data.setup("test")
    assert len(data.test_dataloader()) == 2


def test_facts_for_a_checkpoint_are_plain_values(split_tree):
    facts = ready().facts()
    assert facts["image_size"] == 8
    assert facts["fingerprint"] == ready().fingerprint
    assert len(facts["mean"]) == len(facts["std"]) == 3
    root = split_tree({"a": 1, "b": 1}, {"a": 1, "b": 1})
    data = LongTailDataModule(ImageFolder(64, in_memory=False), root=str(root), profile=AsIs())
    data.setup("fit")
    assert data.facts()["image_size"] == 64


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_size", 0), ("eval_batch_size", -1), ("epoch_length", 0), ("workers", -1)],
)
def test_number_out_of_its_range_is_refused_with_its_name(name, value):
    with pytest.raises(UserError, match=f"data.{name} is {value}"):
        digits(**{name: value})
