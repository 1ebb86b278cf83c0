"""The names of all metrics, in one place.

Logged names are `<split>/<name>`, for example `val/acc_many`. Accuracies, `ece` and `mce` are
fractions in [0, 1], never percent; `nll` is in nats, `brier` lies in [0, 2].
"""

ACC = "acc"  # all images alike
ACC_MACRO = "acc_macro"  # mean over the classes that have test images
ACC_WORST = "acc_worst"  # the lowest of these classes
ACC_TOP5 = "acc_top5"  # all images alike; where there are more than five classes
F1_MACRO = "f1_macro"  # mean over the classes that have test images
AUC = "auc"  # one class against the rest, mean over the classes
NLL = "nll"
ECE = "ece"
MCE = "mce"
BRIER = "brier"
LOSS = "loss"

TRAIN, VAL, TEST = "train", "val", "test"
WEIGHT = "weight"
ALPHA, STAGE = "alpha", "stage"  # schedules of a method


def group_acc(group: str) -> str:
    """Return the name of the accuracy of a group: acc_many of many."""
    return f"{ACC}_{group}"


def weight(group: str) -> str:
    """Return the name of the mean class weight of a group in the loss: weight/few."""
    return f"{WEIGHT}/{group}"


def logged(split: str, name: str) -> str:
    """Return the name under which a metric of a split is logged: val/acc."""
    return f"{split}/{name}"
