"""Every clause of the contract of augmentations and mixings has one that breaks it."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest
import torch

from lt_lightning.augment import BatchTransform, CutMix, Mixed, Mixup, RandomCropFlip, Remix
from lt_lightning.testing import check_augment


def changed(change, base=RandomCropFlip):
    """Return an augmentation that changes what one of ours gives."""

    class Changed(base):
        def __call__(self, images, generator):
            return change(super().__call__, images, generator)

    return Changed()


def in_place(call, images, generator):
    images += 1
    return call(images, generator)


def global_draw(call, images, generator):
    return call(images, torch.Generator().manual_seed(int(torch.randint(10**6, ()))))


def of_the_process(call, images, generator):
    return call(images, torch.Generator().manual_seed(generator.initial_seed()))


def fixed(call, images, generator):
    return call(images, torch.Generator().manual_seed(5))


def of_the_calls():
    """Return a change that draws otherwise with every call."""
    numbers = count()
    return lambda call, images, generator: call(
        images, torch.Generator().manual_seed(generator.initial_seed() + next(numbers))
    )


def of_the_layout(call, images, generator):
    found = call(images, generator)
    return found if images.is_contiguous() else 255 - found


def lenient(call, images, generator):
    whole = images if images.ndim == 4 else images[None]
    return call(whole.to(torch.uint8), generator).reshape(images.shape)


def only_floats(call, images, generator):
    return lenient(call, images, generator) if images.ndim == 3 else call(images, generator)


class Untyped(RandomCropFlip):
    def __init__(self, padding=4):
        super().__init__(padding)


class CopyDiffers(BatchTransform):
    def __init__(self):
        self.inner = RandomCropFlip()

    def __deepcopy__(self, memo):
        return RandomCropFlip(padding=1)

    def __call__(self, images, generator):
        return self.inner(images, generator)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Untyped(), "padding.* have no type"),
        (changed(lambda f, x, g: f(x, g).float()), "uint8 images come out as"),
        (changed(in_place), "changed in place"),
        (changed(lambda f, x, g: x.clone()), "no image is changed"),
        (changed(lambda f, x, g: x.flip(3)), "128 equal images come out as 1 different"),
        (changed(global_draw), "global random generator was used"),
        (changed(of_the_calls()), "the same generator gives other images"),
        (changed(of_the_process), "several processes make other images than one"),
        (changed(fixed), "the generator has no effect"),
        (changed(of_the_layout), "memory layout matters"),
        (CopyDiffers(), "a copy differs"),
        (changed(lenient), "an image of floats is not refused"),
        (changed(only_floats), "an image without a batch is not refused"),
    ],
)
def test_contract_of_augmentations_catches(broken, words):
    with pytest.raises(AssertionError, match=words):
        check_augment(broken)


def mixed(change, base=Mixup):
    """Return a mixing that changes what one of ours gives; `change` may take the call over."""

    class Changed(base):
        def __call__(self, images, targets, class_counts=None, generator=None, **given):
            call = super().__call__
            return change(
                lambda x=images, y=targets, g=generator, **more: call(
                    x, y, class_counts, g, **{**given, **more}
                ),
                images,
                targets,
                generator,
                given,
            )

    return Changed()


def after(**changes):
    """Return a change of the fields of what comes out, each a function of it."""
    return mixed(lambda f, x, y, g, given: _replaced(f(), changes))


def _replaced(found, changes):
    return replace(found, **{name: change(found) for name, change in changes.items()})


def mixed_in_place(f, x, y, g, given):
    found = f()
    x += 1
    return found


def of_the_global(f, x, y, g, given):
    return f(g=torch.Generator().manual_seed(int(torch.randint(10**6, ()))))


def without_given(name):
    return lambda f, x, y, g, given: f(**{name: None})


def share_of_labels_is_fixed(f, x, y, g, given):
    found = f()
    return replace(found, share=torch.full((len(x),), 0.5)) if "share" in given else found


def turned_where_it_is_drawn(f, x, y, g, given):
    found = f()
    return found if "share" in given else replace(found, share=1 - found.share)


def whole_where_it_is_drawn(f, x, y, g, given):
    return f() if "share" in given else replace(f(), images=x.clone())


def of_the_calls_alone(field):
    """Return a change of a field with every call, where neither share nor partners are given."""
    numbers = count()

    def change(f, x, y, g, given):
        found = f()
        if given:
            return found
        if field == "share":
            return replace(found, share=found.share * 0.5 ** next(numbers))
        return replace(found, images=found.images.roll(next(numbers), dims=3))

    return mixed(change)


class Halved(Mixed):
    """Mixed inside the network, which then sees half of the batch."""

    @contextmanager
    def inside(self, network):
        hook = network.register_forward_pre_hook(lambda module, given: given[0][::2])
        yield
        hook.remove()


def halved_inside(f, x, y, g, given):
    found = f()
    return Halved(found.images, found.targets_a, found.targets_b, found.share)


def needs_a_generator(f, x, y, g, given):
    return f() if g is not None or given else replace(f(), images=x[:1])


def trusts_labels(f, x, y, g, given):
    return f(y=torch.zeros(len(x), dtype=torch.int64)) if len(y) != len(x) else f()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (after(images=lambda m: m.images.double().float()), "images come out as"),
        (mixed(mixed_in_place), "changed in place"),
        (after(targets_a=lambda m: m.targets_a.flip(0)), "targets_a are not those"),
        (after(targets_b=lambda m: 0 * m.targets_b), "targets_b are no permutation"),
        (after(share=lambda m: m.share + 1), r"share is not \(N,\) in \[0, 1\]"),
        (after(share=lambda m: m.share[:1]), r"share is not \(N,\) in \[0, 1\]"),
        (after(share=lambda m: m.share.double()), "share is torch.float64"),
        (mixed(without_given("permutation")), "a given permutation is not used"),
        (mixed(without_given("share")), "with the share 1 the images are changed"),
        (mixed(share_of_labels_is_fixed), "the first label has not the weight 1"),
        (mixed(turned_where_it_is_drawn), "it is not that of the first image in the mix"),
        (mixed(turned_where_it_is_drawn, Remix), "it is not that of the first image in the mix"),
        (mixed(whole_where_it_is_drawn), "no image of 500 batches is mixed"),
        (mixed(needs_a_generator), "without a generator the images are lost"),
        (of_the_calls_alone("share"), "the same generator gives another share"),
        (of_the_calls_alone("images"), "the same generator gives other images"),
        (mixed(halved_inside), "a network does not run on the mix"),
        (mixed(of_the_global), "global random generator was used"),
        (mixed(trusts_labels), "a missing label is not refused"),
    ],
)
def test_contract_of_mixings_catches(broken, words):
    with pytest.raises(AssertionError, match=words):
        check_augment(broken)


def test_a_mixing_that_leaves_most_batches_alone_keeps_the_contract():
    """Trap: none of sixteen batches was mixed, and CutMix itself broke the contract."""
    check_augment(CutMix(probability=0.01))
