"""Classifiers: features (N, D) to logits (N, C)."""

from lt_lightning.heads.cosine import CosineHead
from lt_lightning.heads.linear import LinearHead

__all__ = ["CosineHead", "LinearHead"]
