"""What a run computes once, of all images, in precisions that convert the weights themselves."""

import pytest

from lt_lightning import methods
from lt_lightning.heads import CosineHead

DECOUPLED = {"bn_mode": "eval", "stage2_augment": False}
START = {"head": CosineHead, "head_start": "class_means"}


@pytest.mark.parametrize("precision", ["bf16-true", "64-true"])
@pytest.mark.parametrize(
    ("method", "model"),
    [(methods.Decoupled, DECOUPLED), (methods.ERM, START), (methods.RotationSSP, {})],
    ids=["features of stage 2", "class means at the start", "class means at the end"],
)
def test_features_are_computed_in_any_precision(lab, method, model, precision):
    """Trap: images stayed float32 and the weights were not, a traceback after all of stage 1."""
    fitted = lab.fit(
        method, model=model, precision=precision, limit_train_batches=2, limit_val_batches=0
    )
    assert fitted.trainer.current_epoch == 2
