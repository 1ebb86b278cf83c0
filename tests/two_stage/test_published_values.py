"""MiSLAS's values by data set and ratio, where mixup lies, and a stage change in bf16."""

import pytest
import torch
from two_stage_kit import Saves, build_data, fit, same_state, tiny, two_stage

from lt_lightning.augment import Mixup
from lt_lightning.heads import LinearHead, TauNormHead
from lt_lightning.methods import ERM, Decoupled, MixupTwoStage

# classes, ratio -> factor of the rate of W and b, shifted batch norm, smoothing of both ends
PUBLISHED = [
    (10, 100, 0.5, False, (0.3, 0.0)),
    (10, 50, 0.2, False, (0.2, 0.0)),
    (10, 10, 0.2, False, (0.1, 0.0)),
    (100, 100, 0.2, True, (0.4, 0.1)),
    (100, 50, 0.1, True, (0.3, 0.0)),
    (100, 10, 0.1, True, (0.2, 0.0)),
    (365, 996, 0.05, True, (0.4, 0.1)),
    (1000, 256, 0.05, True, (0.3, 0.0)),
    (8142, 500, 0.05, True, (0.3, 0.0)),
]


@pytest.mark.parametrize(("classes", "ratio", "factor", "shifted", "ends"), PUBLISHED)
def test_mislas_takes_the_values_of_its_configs(classes, ratio, factor, shifted, ends):
    counts = [5 * ratio] + [50] * (classes - 2) + [5]
    module = MixupTwoStage(class_counts=counts, backbone=tiny)
    module.enter(2)
    assert module.classifier.lr_factor == factor
    assert module.freezing.bn_mode == ("update_stats" if shifted else "eval")
    smoothing = module.loss.smoothing.tolist()
    assert (smoothing[0], smoothing[-1]) == pytest.approx(ends)
    groups = module.configure_optimizers()["optimizer"].param_groups
    assert [group["lr"] for group in groups] == pytest.approx([0.1, 0.1 * factor])


@pytest.mark.parametrize(
    ("options", "mixed"),
    [
        ({}, [True, True, False, False]),
        ({"mixing": None}, [False] * 4),
        ({"stage2_mixing": Mixup()}, [True] * 4),
        ({"mixing": None, "stage2_mixing": Mixup()}, [False, False, True, True]),
        ({"stage2_mixing": Mixup(), "stage2_mixing_epochs": 1}, [True, True, True, False]),
    ],
)
def test_mixup_lies_where_it_was_asked_for(options, mixed, tmp_path):
    found = []

    class Watched(MixupTwoStage):
        def _mixing_at(self, epoch):
            mixing = super()._mixing_at(epoch)
            found[epoch:] = [mixing is not None]
            return mixing

    fit(two_stage(Watched, **options), 4, tmp_path)
    assert found == mixed


def test_one_fit_equals_two_fits_in_bf16(tmp_path):
    bf16 = {"precision": "bf16-mixed"}
    short = {"stage1_epochs": 1, "stage2_epochs": 1}
    whole = fit(two_stage(Decoupled, **short), 2, tmp_path, **bf16)

    def stage1(data):
        return ERM(class_counts=data.class_counts.tolist(), backbone=tiny)

    fit(stage1, 1, tmp_path, data=build_data(staged=False), callbacks=[Saves(tmp_path)], **bf16)
    second = two_stage(Decoupled, stage1_ckpt=str(tmp_path / "end-0.ckpt"), **short)
    parts = fit(second, 1, tmp_path, **bf16)
    assert same_state(whole.state_dict(), parts.state_dict()) == []
    exact = fit(two_stage(Decoupled, **short), 2, tmp_path)
    assert same_state(whole.state_dict(), exact.state_dict()) != []  # else it was no bf16


def test_tau_one_makes_rows_of_length_one():
    norms = TauNormHead(LinearHead(8, 5), tau=1.0).weight.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(5))
