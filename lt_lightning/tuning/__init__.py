"""What of a pre-trained backbone is trained, how fast, and what is added to it."""

from lt_lightning.tuning.adapt_former import AdaptFormer
from lt_lightning.tuning.base import Tuning
from lt_lightning.tuning.fine_tuning import FineTuning
from lt_lightning.tuning.lora import LoRA

__all__ = ["AdaptFormer", "FineTuning", "LoRA", "Tuning"]
