"""What changes the logits of a finished run without training."""

from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.logit_adjuster import LogitAdjuster

__all__ = ["LogitAdjuster", "PostHoc"]
