"""LoRA: a trained matrix of low rank beside frozen ones, by the package peft."""

from collections.abc import Sequence

from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.tuning.base import Tuning


class LoRA(Tuning):
    """A frozen network whose linear layers get W + (alpha / rank) B A; needs the extra `peft`.

    B is 0 at the start: the features are those of the weights.

    Paper: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022.

    Args:
        rank: rows of A.
        alpha: above 0.
        layers: ends of the names of the linear layers; "qkv" is the attention of timm's ViTs.

    Raises:
        UserError: if a number is out of its range, peft is not there, or the backbone has no such
            linear layer.
    """

    adds = True

    def __init__(self, rank: int = 8, alpha: float = 8.0, layers: Sequence[str] = ("qkv",)) -> None:
        if rank < 1:
            raise UserError(f"rank is {rank}: give 1 or more.")
        if not alpha > 0:
            raise UserError(f"alpha is {alpha}: give a number above 0.")
        self.rank, self.alpha, self.layers = rank, alpha, tuple(layers)

    def prepare(self, backbone: nn.Module, num_classes: int) -> None:
        """Freeze the backbone and add the matrices."""
        found = [name for name, part in backbone.named_modules() if isinstance(part, nn.Linear)]
        chosen = [
            name for name in found if any(f".{name}".endswith(f".{end}") for end in self.layers)
        ]
        if not chosen:
            some = ", ".join(dict.fromkeys(name.rsplit(".", 1)[-1] for name in found)) or "none"
            raise UserError(
                f"LoRA is asked for layers {', '.join(self.layers)} but the linear layers of the "
                f"backbone end in {some}: give --model.tuning.layers some of these."
            )
        backbone.requires_grad_(False)
        try:
            from peft import LoraConfig, inject_adapter_in_model
        except ImportError as error:
            raise UserError(
                "LoRA needs the package peft: pip install 'lt_lightning[peft]'."
            ) from error
        config = LoraConfig(r=self.rank, lora_alpha=self.alpha, target_modules=chosen)
        inject_adapter_in_model(config, backbone)
