"""BCL's training step against the equation, and where its prototypes come from."""

import copy
import math

import lightning as L
import pytest
import torch

from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead, ProjectionHead
from lt_lightning.losses import (
    BalancedContrastive,
    BalancedGroupSoftmax,
    CrossEntropy,
    SupervisedContrastive,
)
from lt_lightning.methods import BCL

SHORT = {"limit_train_batches": 2, "limit_val_batches": 0}


class Steps(L.Callback):
    """Keeps network, batch and result of every step."""

    def __init__(self):
        self.steps = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        parts = ("backbone", "head", "projection", "prototypes", "prototype_head")
        self.before = {name: copy.deepcopy(getattr(module, name)) for name in parts}

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.steps.append((self.before, batch, outputs))


def _steps(lab, **model):
    steps = Steps()
    found = lab.fit(BCL, steps, epochs=2, model=model, **SHORT)
    return steps.steps, found


def _adjusted(logits, targets, counts):
    """CE(z + log prior, y), one number at a time."""
    prior, total = [math.log(count / sum(counts)) for count in counts], 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        moved = [z + p for z, p in zip(row, prior, strict=True)]
        total += math.log(sum(map(math.exp, moved))) - moved[target]
    return total / len(targets)


def _balanced(z, y, p, temperature=0.1):
    keys, labels = torch.cat([z, p]).tolist(), [*y.tolist(), *range(len(p))]
    total = 0.0
    for i in range(len(z)):
        at = [sum(a * b for a, b in zip(keys[i], k, strict=True)) / temperature for k in keys]
        means = []
        for c in range(len(p)):
            members = [math.exp(at[k]) for k in range(len(keys)) if k != i and labels[k] == c]
            means.append(sum(members) / len(members))
        logs = [at[k] for k in range(len(keys)) if k != i and labels[k] == labels[i]]
        total += math.log(sum(means)) - sum(logs) / len(logs)
    return total / len(z)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["classifier", "learned"])
@pytest.mark.parametrize("joint", [True, False])
def test_loss_is_that_of_the_equation_in_every_step(lab, kind, joint):
    weights = {"classifier_weight": 1.5, "feature_weight": 0.4}
    steps, found = _steps(lab, prototypes=kind, joint_pass=joint, **weights)
    counts = found.data.class_counts.tolist()
    assert len(steps) == 4
    for parts, batch, outputs in steps:
        backbone, head, projection = parts["backbone"], parts["head"], parts["projection"]
        (x_f, y_f), (x_c, y_c) = batch["features"], batch["classifier"]
        assert torch.equal(*y_f.chunk(2))
        if joint:
            of_f, of_c = backbone(torch.cat([x_f, x_c])).split([len(x_f), len(x_c)])
        else:
            of_f, of_c = backbone(x_f), backbone(x_c)
        if kind == "learned":
            rows = parts["prototypes"].tolist()
            p = torch.tensor([[a / math.hypot(*row) for a in row] for row in rows])
        else:
            p = parts["prototype_head"](head.weight)
        contrasted = _balanced(projection(of_f), y_f, p)
        classified = _adjusted(head(of_c), y_c, counts)
        assert float(outputs["loss_features"]) == pytest.approx(contrasted, rel=1e-3)
        assert float(outputs["loss_classifier"]) == pytest.approx(classified, rel=1e-3)
        total = 1.5 * classified + 0.4 * contrasted
        assert float(outputs["loss"]) == pytest.approx(total, rel=1e-3)
        assert float(outputs["dropped_anchors"]) == 0


def test_classifier_is_trained_through_its_prototypes_too(lab):
    module = lab.module(BCL, classifier_weight=0.0)
    z = torch.nn.functional.normalize(torch.randn(6, module.projection.out_features), dim=1)
    module.feature_loss(z, torch.arange(6) % 5, module.class_prototypes()).loss.backward()
    assert module.head.weight.grad.abs().sum() > 0


def test_both_projections_have_one_form_but_not_the_same_weights(lab):
    module = lab.module(BCL)
    first, second = module.projection, module.prototype_head
    assert [p.shape for p in first.parameters()] == [p.shape for p in second.parameters()]
    assert not torch.equal(first.layers[0].weight, second.layers[0].weight)


def test_learned_prototypes_have_no_decay(lab):
    _, found = _steps(lab, prototypes="learned")
    first, second = found.trainer.optimizers[0].param_groups
    assert [id(p) for p in second["params"]] == [id(found.module.prototypes)]
    assert (first["weight_decay"], second["weight_decay"]) == (2e-4, 0.0)


def test_cosine_classifier_of_the_authors_code_gives_prototypes(lab):
    module = lab.module(BCL, head=CosineHead)
    lengths = module.class_prototypes().norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(5))


def test_defaults_are_the_recalled_ones_of_cifar():
    module = BCL(class_counts=[5, 3])
    assert (module.classifier_weight, module.feature_weight) == (2.0, 0.6)
    assert isinstance(module.feature_loss, BalancedContrastive)
    assert module.feature_loss.temperature == 0.1
    assert module.loss.corrects_prior
    assert isinstance(module.prototype_head, ProjectionHead)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"feature_loss": SupervisedContrastive}, "SupervisedContrastive takes no prototypes"),
        ({"loss": BalancedGroupSoftmax}, "has no weights of the shape"),
        ({"classifier_weight": -1.0}, r"classifier_weight is -1\.0"),
        ({"feature_weight": float("nan")}, "feature_weight is nan"),
        ({"prototypes": "mean"}, "prototypes is 'mean': choose one of classifier, learned"),
    ],
)
def test_what_does_not_fit_is_refused(lab, options, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.module(BCL, **options)


def test_learned_prototypes_go_with_any_classifier(lab):
    module = lab.module(BCL, loss=BalancedGroupSoftmax, prototypes="learned")
    assert module.class_prototypes().shape == (5, module.projection.out_features)
    assert lab.module(BCL, loss=CrossEntropy).loss.corrects_prior is False
