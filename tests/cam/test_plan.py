"""How many images are made, of which, and that they do not depend on batches."""

import torch

from lt_lightning.cam import foregrounds, generate, paste_moved, plan_images

LABELS = torch.tensor([2, 0, 0, 1, 0, 1, 0, 0, 2, 0, 0, 3])  # 7, 2, 2 and 1 images


def test_every_class_is_filled_up_to_the_largest():
    plan = plan_images(LABELS, 4, None, seed=0)
    assert torch.bincount(plan.labels, minlength=4).tolist() == [0, 5, 5, 6]
    assert plan.labels.tolist() == sorted(plan.labels.tolist())
    assert len(plan.sources) == len(plan.moves.kind) == 16


def test_a_number_per_class_leaves_out_classes_that_have_it():
    plan = plan_images(LABELS, 4, 2, seed=0)
    assert torch.bincount(plan.labels, minlength=4).tolist() == [0, 0, 0, 1]
    plan = plan_images(LABELS, 4, 9, seed=0)
    assert torch.bincount(plan.labels, minlength=4).tolist() == [2, 7, 7, 8]


def test_source_is_an_image_of_the_class_and_all_are_used():
    plan = plan_images(LABELS, 4, 300, seed=1)
    assert torch.equal(LABELS[plan.sources], plan.labels)
    assert set(plan.sources.tolist()) == set(range(len(LABELS)))
    share = (plan.sources[plan.labels == 1] == 3).float().mean()
    assert 0.4 < float(share) < 0.6


def test_plan_follows_the_seed():
    first, again, other = (plan_images(LABELS, 4, 50, seed=s) for s in (1, 1, 2))
    assert torch.equal(first.sources, again.sources)
    assert torch.equal(first.moves.across, again.moves.across)
    assert not torch.equal(first.sources, other.sources)
    assert not torch.equal(first.moves.kind, other.moves.kind)


def made(plan, images, maps, batch):
    def fetch(which):
        return (images[part] for part in torch.split(which, batch))

    return torch.cat(list(generate(plan, maps, fetch, 0.75)))


def test_images_are_the_same_in_batches_of_any_size():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 3, 8, 8), dtype=torch.uint8, generator=generator)
    plan = plan_images(LABELS, 4, None, seed=3)
    maps = torch.rand(12, 2, 2, generator=generator)[plan.sources]
    whole = made(plan, images, maps, 16)
    assert whole.dtype == torch.uint8
    assert torch.equal(made(plan, images, maps, 5), whole)
    for k in range(16):
        one = slice(k, k + 1)
        found = foregrounds(maps[one], (8, 8), 0.75)
        alone = paste_moved(images[plan.sources[one]], found, plan.moves.part(one))
        assert torch.equal(whole[one], alone)


def test_a_part_of_a_plan_makes_the_same_images():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 3, 8, 8), dtype=torch.uint8, generator=generator)
    plan = plan_images(LABELS, 4, None, seed=3)
    maps = torch.rand(12, 2, 2, generator=generator)[plan.sources]
    some = torch.tensor([0, 7, 7, 15])
    part = made(plan.part(some), images, maps[some], 3)
    assert torch.equal(part, made(plan, images, maps, 16)[some])
