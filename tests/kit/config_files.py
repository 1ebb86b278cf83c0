"""The method files of configs/ and what their heads say."""

from pathlib import Path

import yaml

CONFIGS = Path(__file__).parents[2] / "configs"
# Files that fetch the weights of a network, for pictures of one's own; they run in tests/tuning.
PRETRAINED = {"lift"}

METHOD_FILES = sorted(path for path in CONFIGS.glob("*.yaml") if path.stem not in PRETRAINED)

# One file for each method and for a change after training: in the default tests model and data of
# each are built. Of the others, which differ in a loss, a sampler or an augmentation, the names
# and options are looked up.
ONE_PER_METHOD = {
    "bbn",
    "bcl",
    "causal_tde",
    "classifier_bound",  # all images in stage 2
    "cmo",
    "crt",
    "dis_align",
    "hybrid_psc",
    "ldam_drw",  # cosine head, deferred weights
    "mislas",
    "paco",
    "pseudo_label",
    "ssp_moco",
    "ssp_rotation",
    "ssp_simsiam",
    "tau_norm",  # a change after training
}

# One for each kind of run; they run in the default tests.
RUN_BY_DEFAULT = {
    "bbn",  # two streams, a backbone of two branches
    "crt",  # two stages
    "hybrid_psc",  # views, and a loss on features
    "pseudo_label",  # a teacher, images without labels
    "ssp_rotation",  # without labels, then tested by class means
    "tau_norm",  # a change after training
}

# Methods that have neither a classifier nor a loss to choose.
WITHOUT_LABELS = {"MoCo", "RotationSSP", "SimSiam"}

# Files that need a finished run of configs/ce.yaml.
NEED_A_TEACHER = {"pseudo_label"}

# Files that need what `lt cam` makes of another run; they run in tests/cam.
NEED_ADDED_IMAGES = {"bag_of_tricks", "cam_drs"}


def content(path):
    """Return what a file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def header(path):
    """Return the comment lines at the top of a file, without their sign."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].strip())
    return lines
