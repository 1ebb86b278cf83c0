"""What stage 2 may change, and what it may not."""

import pytest
import torch
from two_stage_kit import Saves, build_data, fit, two_stage

from lt_lightning.errors import UserError
from lt_lightning.methods import Decoupled, DisAlign


def states(tmp_path, **options):
    after = fit(two_stage(Decoupled, **options), 4, tmp_path, callbacks=[Saves(tmp_path)])
    before = torch.load(tmp_path / "end-1.ckpt", weights_only=True)["state_dict"]
    return before, after.state_dict()


def changed(before, after):
    """Return the kinds of backbone tensors that stage 2 changed."""
    found = set()
    for key, value in after.items():
        if key.startswith("backbone.") and not torch.equal(before[key], value):
            norm = key.rsplit(".", 1)[0] + ".running_mean" in after
            running = key.rsplit(".", 1)[1].startswith(("running", "num_batches"))
            found.add("statistics" if running else "affine" if norm else "weight")
    return found


@pytest.mark.parametrize(
    ("bn_mode", "moves"),
    [
        ("eval", set()),
        ("update_stats", {"statistics"}),
        ("train_affine", {"statistics", "affine"}),
    ],
)
def test_bn_mode_says_what_moves(bn_mode, moves, tmp_path):
    assert changed(*states(tmp_path, bn_mode=bn_mode)) == moves


def test_the_whole_network_moves_where_asked_for(tmp_path):
    assert changed(*states(tmp_path, trained_from="all")) == {"statistics", "affine", "weight"}


def test_only_the_named_part_and_what_follows_is_trained(tmp_path):
    before, after = states(tmp_path, trained_from="layer3", bn_mode="eval")
    moved = {
        key.split(".")[1]
        for key in after
        if key.startswith("backbone.") and not torch.equal(before[key], after[key])
    }
    assert moved == {"layer3"}


def test_an_unknown_part_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"'layer9': give all, or .* stem, layer1, layer2, layer3"):
        two_stage(Decoupled, trained_from="layer9")(build_data())


def test_validation_does_not_thaw_batch_norm(tmp_path):
    """Lightning restores the modes after a validation; a frozen layer must stay as it was."""
    module = two_stage(DisAlign)(build_data())
    module.enter(2)
    module.eval()
    module.train()
    assert not any(part.training for part in module.backbone.modules())
    assert module.head.training


def test_kept_features_give_the_result_of_the_computed_ones(tmp_path, monkeypatch):
    options = {"bn_mode": "eval", "stage2_augment": False}
    kept = fit(two_stage(Decoupled, **options), 4, tmp_path)
    monkeypatch.setattr(Decoupled, "_features_are_fixed", lambda self: False)
    computed = fit(two_stage(Decoupled, **options), 4, tmp_path)
    for key, value in computed.state_dict().items():
        assert torch.allclose(kept.state_dict()[key], value, atol=1e-5), key


def test_features_are_kept_only_where_they_cannot_change():
    data = build_data()
    for options, kept in (
        ({"bn_mode": "eval", "stage2_augment": False}, True),
        ({"bn_mode": "eval"}, False),
        ({"bn_mode": "update_stats", "stage2_augment": False}, False),
        ({"bn_mode": "eval", "stage2_augment": False, "trained_from": "layer3"}, False),
    ):
        assert two_stage(Decoupled, **options)(data).stage_at(3).features is kept
