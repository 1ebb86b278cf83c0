"""The classifier of stage 1, trained on."""

from torch import nn

from lt_lightning.heads.classifier import ClassifierRule


class KeepClassifier(ClassifierRule):
    """Fine-tuning: the classifier of stage 1 is trained on.

    Paper: the whole-network variant of Zhang et al., Bag of Tricks for Long-Tailed Visual
    Recognition, AAAI 2021, where trained_from is all.
    """

    def build(self, first: nn.Module, in_features: int, num_outputs: int) -> nn.Module:
        """Return the same classifier, all of it trained."""
        return first.requires_grad_(True)
