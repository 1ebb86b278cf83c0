"""The class shares that a run keeps are those of the images that its loader really draws."""

import math

import pytest
import torch

from lt_lightning.augment import Mixup, Remix
from lt_lightning.data import LeftOver
from lt_lightning.engine.class_shares import Drawn, kept
from lt_lightning.errors import UserError
from lt_lightning.losses import BalancedSoftmax
from lt_lightning.methods import (
    BBN,
    CMO,
    ERM,
    ClassifierBound,
    Decoupled,
    MixupTwoStage,
    PseudoLabel,
)
from lt_lightning.runs.checkpoint import DATA_STATE
from lt_lightning.samplers import ClassBalanced, InstanceBalanced, Reversed, StepSwitch
from lt_lightning.schedule import StepAt

CLASSES, EPOCHS, IMAGES = 5, 4, 4000
NEAR = 4 * math.sqrt(0.25 / IMAGES)  # four standard deviations of a share
RULES = {
    "as they are": InstanceBalanced(),
    "balanced": ClassBalanced(),
    "reversed": Reversed(),
    "switched": StepSwitch(at=0.5, before=InstanceBalanced(), after=Reversed()),
}
MIXED = (BBN, CMO)  # whose streams are mixed in every epoch of these options


def made(lab, method, rule, **options):
    """Return a module and its data, as they are when training begins."""
    samplers = {name: rule for name in method.streams}
    if "classifier" in method.streams:
        samplers["features"] = InstanceBalanced()  # not what the classifier learns from
    data = lab.data(
        method, sampler=rule, samplers=samplers or None, epoch_length=IMAGES, batch_size=500
    )
    data.setup("fit")
    if method.num_stages == 2:
        options.update(stage1_epochs=EPOCHS // 2, stage2_epochs=EPOCHS // 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "teacher", lambda: "none")
        module = lab.module(method, data, **options)
    if method.uses_unlabelled:  # most of the tail, as of a poor teacher
        labels = 3 + torch.arange(len(data.find_unlabelled().images)) % 2
        module._kept = {"labels": labels}
        module._use(data, labels)
    return module, data


def drawn(module, data, epoch):
    """Return the stream of `epoch`, the shares told of it, and all that it draws."""
    module.set_epoch(epoch, EPOCHS)
    stage, stream = module.stage_at(epoch), module.learned_stream(epoch)
    loader = data.train_loaders(stage)[stream]
    loader.sampler.set_epoch(epoch)
    targets = torch.cat([targets for _, targets in loader])
    return data.drawn_shares(stream, stage, epoch).tolist(), targets


@pytest.mark.parametrize("name", RULES)
def test_the_shares_of_every_method_are_those_of_what_is_drawn(lab, method, name):
    module, data = made(lab, method, RULES[name])
    for epoch in (0, EPOCHS - 1):
        module.set_epoch(epoch, EPOCHS)
        if method in MIXED:
            assert module.learned_stream(epoch) is None
            continue
        told, targets = drawn(module, data, epoch)
        counts = torch.bincount(targets % CLASSES, minlength=CLASSES).double()
        assert told == pytest.approx((counts / counts.sum()).tolist(), abs=NEAR)
        module.drawn = Drawn(told)
        if module.self_supervised:  # its classes are those of nearest means, whatever is drawn
            assert module.log_shares().softmax(0).tolist() == pytest.approx([1 / CLASSES] * CLASSES)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("omega", [None, 0.0, 3.0])
def test_pseudo_labels_count_as_the_loss_weighs_them(lab, omega, name):
    module, data = made(lab, PseudoLabel, RULES[name], omega=omega)
    told, targets = drawn(module, data, EPOCHS - 1)
    weights = module.drawn_weights()
    module.drawn = Drawn(told, weights.tolist())
    each = torch.tensor(module.image_weights, dtype=torch.float64)[(targets >= CLASSES).long()]
    mass = torch.zeros(CLASSES, dtype=torch.float64).index_add(0, targets % CLASSES, each)
    assumed = module.log_shares().softmax(0)
    torch.testing.assert_close(assumed, mass / mass.sum(), atol=1.5 * NEAR, rtol=0)
    if omega == 0 and name == "as they are":
        counts = data.class_counts.double()
        torch.testing.assert_close(assumed, counts / counts.sum())


def test_all_images_of_an_oracle_are_those_before_the_profile(lab):
    module, data = made(lab, ClassifierBound, InstanceBalanced())
    first, _ = drawn(module, data, 0)
    last, _ = drawn(module, data, EPOCHS - 1)
    counts = data.class_counts.double()
    assert first == pytest.approx((counts / counts.sum()).tolist())
    assert last == pytest.approx([1 / CLASSES] * CLASSES)


def streams(module):
    module.set_epoch(0, EPOCHS)
    return [module.learned_stream(epoch) for epoch in range(EPOCHS)]


def test_a_method_tells_its_stream_in_each_epoch(lab):
    one, two = InstanceBalanced(), {"stage2_mixing": Remix()}
    late = {"mixing": Remix(), "mixing_schedule": StepAt(at=0.5, before=1, after=0)}
    module, _ = made(lab, CMO, one, plain_first=1, plain_last=1)
    assert streams(module) == ["background", None, None, "background"]
    module, _ = made(lab, ERM, one, **late)
    assert streams(module) == [None, None, "", ""]
    module, _ = made(lab, ERM, one, mixing=Mixup())
    assert streams(module) == 4 * [""]
    module, _ = made(lab, Decoupled, one, mixing=Remix())
    assert streams(module) == [None, None, "stage2", "stage2"]
    module, _ = made(lab, MixupTwoStage, one, **two)
    assert streams(module) == ["stage1", "stage1", None, None]
    module, _ = made(lab, MixupTwoStage, one, stage2_mixing_epochs=1, **two)
    assert streams(module) == ["stage1", "stage1", None, "stage2"]


@pytest.mark.parametrize("method", [PseudoLabel, ClassifierBound])
def test_a_checkpoint_keeps_what_its_last_epoch_drew(lab, method):
    found = lab.fit(method, epochs=1, limit_train_batches=1, limit_val_batches=0)
    split = found.data._splits["full" if found.module.oracle else "train+unlabelled"]
    counts = torch.bincount(split.labels % CLASSES, minlength=CLASSES).double()
    content = {}
    found.module.on_save_checkpoint(content)
    drawn = kept(content[DATA_STATE], method.uses_unlabelled)
    assert drawn == found.module.drawn, "and so has the model in memory"
    assert drawn.shares == pytest.approx((counts / counts.sum()).tolist())
    assumed = found.module.log_shares().softmax(0)
    torch.testing.assert_close(assumed, counts / counts.sum())
    found.trainer.test(found.module, datamodule=found.data, verbose=False)
    found.module.on_save_checkpoint(content)
    assert kept(content[DATA_STATE], method.uses_unlabelled) == drawn, "a test draws nothing"


def test_the_loss_that_compensates_takes_pseudo_labels_out_too(lab):
    module, data = made(lab, PseudoLabel, InstanceBalanced(), loss=BalancedSoftmax)
    told, _ = drawn(module, data, 0)
    module.drawn = Drawn(told, module.drawn_weights().tolist())
    assert module.log_shares().softmax(0).tolist() == pytest.approx([1 / CLASSES] * CLASSES)


def test_only_one_kind_of_images_goes_beside_the_training_images(lab):
    with pytest.raises(UserError, match=r"data\.unlabelled is LeftOver: both go beside"):
        lab.data(PseudoLabel, added_images="added", unlabelled=LeftOver())
