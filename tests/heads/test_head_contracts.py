"""Contracts of every public head; a new one without an entry here fails."""

import inspect
import pickle

import pytest
import torch

from lt_lightning import heads
from lt_lightning.heads import (
    CalibratedHead,
    CausalNormHead,
    CosineHead,
    LinearHead,
    NearestMeanHead,
    ProjectionHead,
    ScaledHead,
    SquashedCosineHead,
    TauNormHead,
)

D, C = 6, 4
MADE = {
    "CalibratedHead": lambda: CalibratedHead(CosineHead(D, C), D, C),
    "CausalNormHead": lambda: CausalNormHead(D, C),
    "CosineHead": lambda: CosineHead(D, C),
    "LinearHead": lambda: LinearHead(D, C),
    "NearestMeanHead": lambda: NearestMeanHead(torch.randn(9, D), torch.arange(9) % C, C),
    "ProjectionHead": lambda: ProjectionHead(D, out_features=C),
    "ScaledHead": lambda: ScaledHead(CosineHead(D, C), C, frozen=True),
    "SquashedCosineHead": lambda: SquashedCosineHead(D, C),
    "TauNormHead": lambda: TauNormHead(LinearHead(D, C)),
}


def _is_head(name):
    """Return whether it is a network, and not a rule of what becomes of one."""
    kind = getattr(heads, name)
    return inspect.isclass(kind) and issubclass(kind, torch.nn.Module)


@pytest.fixture(params=[name for name in heads.__all__ if _is_head(name)])
def head(request):
    torch.manual_seed(0)
    return MADE[request.param]()


def test_logits_have_one_column_per_class(head):
    for count in (0, 1, 5):
        logits = head(torch.randn(count, D))
        assert logits.shape == (count, C)
        assert logits.dtype == torch.float32


def test_logits_of_an_image_do_not_depend_on_its_batch(head):
    features = torch.randn(3, D)
    alone = torch.cat([head(feature[None]) for feature in features])
    torch.testing.assert_close(head(features), alone)


def test_scale_is_told_where_the_logits_are_cosines(head):
    cosine = isinstance(head, CosineHead | CalibratedHead | ScaledHead)
    of_16 = isinstance(head, CausalNormHead | SquashedCosineHead)
    assert getattr(head, "scale", None) == (16.0 if of_16 else 30.0 if cosine else None)


def test_features_get_a_finite_gradient(head):
    features = torch.randn(3, D, requires_grad=True)
    head(features)[:, 0].sum().backward()  # the squares of an embedding sum to 1
    assert features.grad.isfinite().all()
    assert features.grad.abs().sum() > 0


def test_state_and_pickle_bring_the_same_logits_back(head, request):
    features = torch.randn(3, D)
    want = head(features)
    assert torch.equal(pickle.loads(pickle.dumps(head))(features), want)
    other = MADE[request.node.callspec.params["head"]]()
    other.load_state_dict(head.state_dict())
    assert torch.equal(other(features), want)
