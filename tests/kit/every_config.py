"""Tiny runs of configs over all methods, on any number of processes."""

import yaml
from lt_runs import CONFIGS

NAMES = (
    *("ce", "ldam_drw", "cb_focal", "influence_balanced", "balanced_group_softmax", "equalization"),
    *("ala", "mixup", "cutmix", "remix", "manifold_mixup", "strong_augmentation", "rand_augment"),
    *("sampler_class_balanced", "bbn", "bcl", "causal_tde", "classifier_bound", "cmo", "crt"),
    *("lws", "tau_norm", "ncm", "dis_align", "mislas", "label_aware_smoothing", "hybrid_psc"),
    *("hybrid_sc", "paco", "pseudo_label", "ssp_moco", "ssp_rotation", "ssp_simsiam"),
)
_AUGMENTED = ("strong_augmentation", "rand_augment")  # by their own files


def model_of(config):
    """Return what a config says of its model."""
    return yaml.safe_load((CONFIGS / f"{config}.yaml").read_text())["model"]


def small(config, processes, *more, epochs, teacher):
    """Return the arguments of a run with 10 steps an epoch.

    Args:
        config: of NAMES.
        processes: how many there are.
        more: words at the end.
        epochs: of the run; of one in two stages half of them, rounded down, for each.
        teacher: a run of `ce` by these arguments, where the method needs one.
    """
    found = [
        *("fit", "--config", str(CONFIGS / f"{config}.yaml")),
        *("--config", str(CONFIGS / "data" / "digits.yaml"), "--trainer.accelerator", "cpu"),
        *("--trainer.devices", str(processes), "--seed_everything", "0"),
        *("--model.backbone.depth", "8", "--model.backbone.width", "4"),
        *("--data.source.size", "8", "--data.batch_size", "32", "--data.drop_last", "true"),
    ]
    if processes > 1:
        found += ["--trainer.strategy", "ddp"]
    if config not in _AUGMENTED:
        found += ["--data.augment", "RandomCropFlip", "--data.augment.padding", "1"]
    if "stage1_epochs" in model_of(config)["init_args"]:
        each = str(epochs // 2)
        found += ["--model.stage1_epochs", each, "--model.stage2_epochs", each]
    else:
        found += ["--trainer.max_epochs", str(epochs)]
    if config == "pseudo_label":
        found += ["--model.teacher", str(teacher)]
    return [*found, *more]
