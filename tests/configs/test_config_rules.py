"""Values that differ by data set and ratio follow from the data, not from another file."""

import pytest
import torch
from config_files import CONFIGS

from lt_lightning.samplers import ClassIndex

CIFAR100 = ("--config", CONFIGS / "data" / "cifar100.yaml")
RATIO_50 = ("--data.profile.imbalance_ratio", "50")


def _model(build, name, *more):
    return build("--config", CONFIGS / f"{name}.yaml", *more).model


def _effective(n, beta):
    return (1 - beta**n) / (1 - beta)


@pytest.mark.parametrize(
    ("name", "more", "head", "tail", "beta"),
    [
        pytest.param("cb_ce", (), 5000, 50, 0.9999, marks=pytest.mark.slow),
        ("cb_ce", CIFAR100, 500, 5, 0.9),
        pytest.param("cb_ce", RATIO_50, 5000, 100, 0.9999, marks=pytest.mark.slow),
        pytest.param("cb_focal", (), 5000, 50, 0.9999, marks=pytest.mark.slow),
        pytest.param("cb_focal", RATIO_50, 5000, 100, 0.9999, marks=pytest.mark.slow),
        pytest.param("cb_focal", CIFAR100, 500, 5, 0.9, marks=pytest.mark.slow),
        ("cb_focal", (*CIFAR100, *RATIO_50), 500, 10, 0.99),
        pytest.param("cb_ce", (*CIFAR100, *RATIO_50), 500, 10, 0.9, marks=pytest.mark.slow),
    ],
)
def test_beta_of_class_balanced_losses_is_that_of_the_data_set(build, name, more, head, tail, beta):
    weight = _model(build, name, *more).loss.weight
    expected = _effective(head, beta) / _effective(tail, beta)
    assert float(weight[-1] / weight[0]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("more", "gamma"),
    [
        pytest.param((), 1.0, marks=pytest.mark.slow),
        (RATIO_50, 2.0),
        pytest.param(CIFAR100, 1.0, marks=pytest.mark.slow),
        pytest.param((*CIFAR100, *RATIO_50), 1.0, marks=pytest.mark.slow),
    ],
)
def test_gamma_of_class_balanced_focal_loss_is_that_of_data_set_and_ratio(build, more, gamma):
    assert _model(build, "cb_focal", *more).loss.gamma == gamma


def test_deferred_weights_keep_their_beta_on_all_data_sets(build):
    model = _model(build, "ldam_drw", *CIFAR100)
    assert model.deferred_weights.beta == 0.9999


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        pytest.param((), (0.3, 0.0), marks=pytest.mark.slow),
        pytest.param(RATIO_50, (0.2, 0.0), marks=pytest.mark.slow),
        (CIFAR100, (0.4, 0.1)),
    ],
)
def test_label_aware_smoothing_is_that_of_data_set_and_ratio(build, more, ends):
    smoothing = _model(build, "label_aware_smoothing", *more).loss.smoothing
    assert (float(smoothing[0]), float(smoothing[-1])) == pytest.approx(ends)


@pytest.mark.parametrize(
    ("more", "lr_factor", "shifted", "ends"),
    [
        pytest.param((), 0.5, False, (0.3, 0.0), marks=pytest.mark.slow),
        (CIFAR100, 0.2, True, (0.4, 0.1)),
    ],
)
def test_second_stage_of_mislas_is_that_of_data_set_and_ratio(
    build, more, lr_factor, shifted, ends
):
    model = _model(build, "mislas", *more)
    assert model.classifier.lr_factor == lr_factor
    assert model.freezing.bn_mode == ("update_stats" if shifted else "eval")
    smoothing = model.stage2_loss(model.loss.class_counts).smoothing
    assert (float(smoothing[0]), float(smoothing[-1])) == pytest.approx(ends)


@pytest.mark.parametrize(
    ("name", "more", "images"),
    [
        ("over_sampling", CIFAR100, 10_847),
        ("under_sampling", (), 12_406),
        pytest.param("over_sampling", (), 12_406, marks=pytest.mark.slow),
        pytest.param("under_sampling", CIFAR100, 10_847, marks=pytest.mark.slow),
    ],
)
def test_epoch_has_as_many_images_as_the_training_set(build, name, more, images):
    data = build("--config", CONFIGS / f"{name}.yaml", *more).datamodule
    labels = torch.arange(data.num_classes).repeat_interleave(data.class_counts)
    assert data.epoch_length is None
    assert data.sampler.epoch_length(ClassIndex(labels, data.num_classes)) == images
