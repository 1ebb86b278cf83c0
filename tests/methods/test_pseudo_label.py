"""Pseudo-labels: whose they are, what they weigh, and that they are made once."""

import math
import shutil

import lightning as L
import pytest
import torch

from lt_lightning.data import LeftOver
from lt_lightning.engine.load import load_model
from lt_lightning.errors import UserError
from lt_lightning.losses import BalancedSoftmax
from lt_lightning.methods import PseudoLabel
from lt_lightning.runs.past import Past

CLASSES = 5
SHORT = {"limit_train_batches": 3, "limit_val_batches": 0}


class Steps(L.Callback):
    """Keeps each batch, and the loss of each of its images, with the value of the step."""

    def __init__(self):
        self.steps = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        # the logits of the step itself, batch norm included
        module.head.register_forward_hook(lambda *hook: setattr(self, "logits", hook[2].detach()))

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        value = float(outputs["loss"].detach())
        self.steps.append((self.logits.tolist(), batch[1].tolist(), value))


def _cross_entropy(row, target):
    return math.log(sum(math.exp(z) for z in row)) - row[target]


@pytest.mark.parametrize("omega", [None, 0.0, 1.0, 3.0])
def test_loss_of_each_batch_is_that_of_the_equation(lab, omega):
    steps = Steps()
    found = lab.fit(PseudoLabel, steps, epochs=1, model={"omega": omega}, **SHORT)
    labelled = int(found.data.class_counts.sum())
    unlabelled = found.data.unlabelled_facts["images"]
    used = unlabelled / labelled if omega is None else omega
    everything = labelled + unlabelled
    kinds = set()
    for logits, marked, value in steps.steps:
        total = 0.0
        for row, label in zip(logits, marked, strict=True):
            kinds.add(label >= CLASSES)
            share = used / unlabelled if label >= CLASSES else 1 / labelled
            weight = everything * share / (1 + used)
            total += weight * _cross_entropy(row, label % CLASSES)
        assert value == pytest.approx(total / len(marked), rel=1e-4)
        if omega is None:  # every image counts the same
            plain = [_cross_entropy(r, y % CLASSES) for r, y in zip(logits, marked, strict=True)]
            assert value == pytest.approx(sum(plain) / len(plain), rel=1e-4)
    assert kinds == {True, False}


def test_weights_of_an_epoch_sum_to_one_and_omega(lab):
    found = lab.fit(PseudoLabel, epochs=1, model={"omega": 3.0}, **SHORT)
    labelled, unlabelled = (
        int(found.data.class_counts.sum()),
        found.data.unlabelled_facts["images"],
    )
    of_labelled, of_pseudo = found.module.image_weights
    assert of_pseudo * unlabelled == pytest.approx(3 * of_labelled * labelled)
    total = of_labelled * labelled + of_pseudo * unlabelled
    assert total == pytest.approx(labelled + unlabelled)


def test_labels_are_those_of_the_teacher_in_order(lab):
    data, path = lab.data(PseudoLabel, eval_batch_size=4), lab.teacher()
    found = lab.fit(PseudoLabel, epochs=1, data=data, **SHORT)
    teacher = load_model(torch.load(path, weights_only=True), path).eval()
    images = data.find_unlabelled().images.images
    with torch.no_grad():
        seen = [teacher.predict_logits(data.normalize(image[None])) for image in images]
    want = [int(logits.argmax()) for logits in seen]
    assert len(set(want)) > 1
    assert found.module._kept["labels"].tolist() == want
    joint = data._splits["train+unlabelled"].labels.tolist()
    assert joint[int(data.class_counts.sum()) :] == [label + CLASSES for label in want]


def test_teacher_sees_images_with_its_own_normalisation(lab, tmp_path, monkeypatch, caplog):
    path, view = tmp_path / "other.ckpt", {"mean": [0.1, 0.6, 0.4], "std": [0.3, 0.2, 0.4]}
    content = torch.load(lab.teacher(), weights_only=True)
    read = {"background": None, "grey_bits": 16, "upright": False}
    torch.save({**content, "lt_data": {**content["lt_data"], **view, **read}}, path)
    data, asked = lab.data(PseudoLabel), []
    own = data.unlabelled_loader
    monkeypatch.setattr(data, "unlabelled_loader", lambda n: asked.append(n) or own(n))
    lab.fit(PseudoLabel, epochs=1, data=data, model={"teacher": str(path)}, **SHORT)
    (normalize,) = asked
    image = torch.full((1, 3, 2, 2), 51, dtype=torch.uint8)
    want = [(0.2 - m) / d for m, d in zip(view["mean"], view["std"], strict=True)]
    torch.testing.assert_close(normalize(image)[0, :, 0, 0], torch.tensor(want))
    assert f"{path} was trained on images of background null but" in caplog.text


def test_loss_counts_pseudo_labels_and_groups_do_not(lab):
    found = lab.fit(PseudoLabel, epochs=1, model={"loss": BalancedSoftmax}, **SHORT)
    pseudo = torch.tensor(found.data.unlabelled_facts["pseudo_label_counts"])
    both = found.data.class_counts + pseudo
    assert int(pseudo.sum()) > 0
    assert torch.equal(found.module.loss.class_counts, both)
    fresh = BalancedSoftmax(both)
    logits, targets = torch.randn(6, CLASSES), torch.arange(6) % CLASSES
    assert torch.equal(found.module.loss(logits, targets), fresh(logits, targets))
    assert found.module.test_stats.groups == found.data.groups


def test_teacher_does_not_move_and_is_asked_once(lab, tmp_path, monkeypatch):
    path = tmp_path / "teacher.ckpt"
    shutil.copy(lab.teacher(), path)
    options = {"model": {"teacher": str(path)}, **SHORT}
    before = path.read_bytes()
    first = lab.fit(PseudoLabel, epochs=1, **options)
    assert path.read_bytes() == before
    first.trainer.save_checkpoint(tmp_path / "part.ckpt")
    path.unlink()
    rest = lab.fit(PseudoLabel, epochs=2, ckpt_path=tmp_path / "part.ckpt", **options)
    assert torch.equal(rest.module._kept["labels"], first.module._kept["labels"])
    assert rest.data.unlabelled_facts == first.data.unlabelled_facts
    other = lab.data(PseudoLabel, unlabelled=LeftOver(imbalance_ratio=1, times=0.3))
    with pytest.raises(UserError, match="trained on the unlabelled images"):
        lab.fit(PseudoLabel, epochs=2, data=other, ckpt_path=tmp_path / "part.ckpt", **options)


def test_what_the_teacher_has_behind_it_goes_on(lab, tmp_path):
    content = torch.load(lab.teacher(), weights_only=True)
    Past(test_seen=True, oracle=True).keep(content)
    torch.save(content, tmp_path / "teacher.ckpt")
    model = {"teacher": str(tmp_path / "teacher.ckpt")}
    assert lab.fit(PseudoLabel, epochs=1, model=model, **SHORT).module.past == Past(True, True)


def test_teacher_of_other_classes_or_another_size_is_refused(lab, tmp_path):
    content = torch.load(lab.teacher(), weights_only=True)
    path, known = tmp_path / "other.ckpt", content["hyper_parameters"]
    for names, sentence in (
        (["0", "1", "2", "3", "fox"], "has 5 classes, 'fox' where they have '4', but the data"),
        (["0", "1", "2"], "has 3 classes but the data have 5"),
    ):
        of_names = {**known, "class_names": names, "class_counts": [9] * len(names)}
        torch.save({**content, "hyper_parameters": of_names}, path)
        with pytest.raises(UserError, match=sentence):
            lab.fit(PseudoLabel, epochs=1, model={"teacher": str(path)}, **SHORT)
    torch.save({**content, "lt_data": {**content["lt_data"], "image_size": 64}}, path)
    with pytest.raises(UserError, match="64 pixels a side but the data have 16"):
        lab.fit(PseudoLabel, epochs=1, model={"teacher": str(path)}, **SHORT)


@pytest.mark.parametrize(
    ("model", "data", "sentence"),
    [
        ({"teacher": None}, {}, "needs a teacher: train one"),
        ({"teacher": "nowhere.ckpt"}, {}, "There is no checkpoint nowhere"),
        ({}, {"unlabelled": None}, "needs unlabelled images: give --data.unlabelled"),
        ({"omega": -1.0}, {}, r"omega is -1\.0: give 0 or more"),
    ],
)
def test_what_is_missing_is_named(lab, model, data, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.fit(PseudoLabel, epochs=1, data=lab.data(PseudoLabel, **data), model=model, **SHORT)
