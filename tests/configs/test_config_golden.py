"""The published recipes, value by value."""

import pytest
from config_files import CONFIGS, content

RESNET = {"class_path": "ResNetCIFAR", "init_args": {"depth": 32}}
WARMUP = {"warmup_epochs": 5}
SGD = {"lr": 0.1, "momentum": 0.9, "weight_decay": 2e-4}
LONG_TAIL = {"class_path": "Exponential", "init_args": {"imbalance_ratio": 100}}

# Cao et al., LDAM-DRW: CIFAR ResNet-32, batch 128, 200 epochs, SGD 0.1, momentum 0.9, decay 2e-4
CE = {
    "seed_everything": 0,
    "trainer": {"max_epochs": 200},
    "model": {
        "class_path": "ERM",
        "init_args": {
            "backbone": RESNET,
            "head": {"class_path": "LinearHead"},
            "loss": {"class_path": "CrossEntropy"},
            "optimizer": {"class_path": "torch.optim.SGD", "init_args": SGD},
            "lr_schedule": {"class_path": "LDAMRecipe", "init_args": WARMUP},
        },
    },
    "data": {
        "source": {"class_path": "CIFAR10"},
        "profile": LONG_TAIL,
        "batch_size": 128,
        "sampler": {"class_path": "InstanceBalanced"},
    },
}
# the same with margins up to 0.5, scale 30, and effective-number weights from the 161st epoch
LDAM_DRW = {
    **CE,
    "model": {
        "class_path": "ERM",
        "init_args": {
            **CE["model"]["init_args"],
            "head": {"class_path": "CosineHead", "init_args": {"scale": 30.0}},
            "loss": {"class_path": "LDAM", "init_args": {"max_margin": 0.5, "scale": 30.0}},
            "deferred_weights": {"class_path": "EffectiveNumber", "init_args": {"beta": 0.9999}},
            "deferral": {"class_path": "StepAt", "init_args": {"at": 0.8}},
        },
    },
}
# Zhou et al., BBN: the same optimizer with Nesterov, PyTorch's own start of the classifier
BBN = {
    **CE,
    "model": {
        "class_path": "BBN",
        "init_args": {
            "backbone": {"class_path": "BilateralResNetCIFAR", "init_args": {"depth": 32}},
            "head": {"class_path": "LinearHead", "init_args": {"init": "uniform"}},
            "loss": {"class_path": "CrossEntropy"},
            "optimizer": {"class_path": "torch.optim.SGD", "init_args": {**SGD, "nesterov": True}},
            "lr_schedule": {"class_path": "BBNRecipe", "init_args": WARMUP},
            "alpha": {"class_path": "ParabolicDecay"},
        },
    },
    "data": {
        "source": {"class_path": "CIFAR10"},
        "profile": LONG_TAIL,
        "batch_size": 128,
        "drop_last": True,
        "samplers": {
            "uniform": {"class_path": "InstanceBalanced"},
            "reversed": {"class_path": "Reversed"},
        },
    },
}


@pytest.mark.parametrize(("name", "expected"), [("ce", CE), ("ldam_drw", LDAM_DRW), ("bbn", BBN)])
def test_file_holds_the_published_recipe(name, expected):
    assert content(CONFIGS / f"{name}.yaml") == expected


# learning rate of 1-based epochs of 200, from the authors' codes
RATES = {
    "ce": {1: 0.02, 2: 0.04, 5: 0.1, 160: 0.1, 161: 1e-3, 180: 1e-3, 181: 1e-5, 200: 1e-5},
    "bbn": {1: 0.1 * 7 / 15, 2: 0.06, 4: 0.1 * 13 / 15, 5: 0.1, 119: 0.1, 120: 1e-3, 160: 1e-5},
    "influence_balanced": {1: 0.02, 100: 0.1, 101: 1e-3, 160: 1e-3, 161: 1e-5, 181: 1e-7},
}


@pytest.mark.parametrize("name", RATES)
def test_learning_rate_of_each_epoch_is_the_published_one(name, build):
    cli = build("--config", CONFIGS / f"{name}.yaml")
    parameters = [next(cli.model.parameters())]
    (group,) = cli.model.optimizer_factory(parameters).param_groups
    assert (group["momentum"], group["weight_decay"]) == (0.9, 2e-4)
    assert group["nesterov"] == (name == "bbn")
    for epoch, rate in RATES[name].items():
        assert group["lr"] * cli.model.lr_schedule(epoch - 1, 200) == pytest.approx(rate)


def test_bbn_file_makes_the_published_network(build):
    model = build("--config", CONFIGS / "bbn.yaml").model
    assert sum(parameter.numel() for parameter in model.parameters()) == 538_778


def test_influence_balanced_loss_takes_over_at_epoch_101(build):
    model = build("--config", CONFIGS / "influence_balanced.yaml").model
    assert [model.deferral(epoch, 200) for epoch in (0, 99, 100, 199)] == [0, 0, 1, 1]
    weight = model.deferred_loss.weight
    assert float(weight[9] / weight[0]) == pytest.approx(5000 / 50)
    assert float(weight.sum()) == pytest.approx(10)
