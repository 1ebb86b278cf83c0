"""Decoupled training of representation and classifier."""

from typing import Any

from torch import nn

from lt_lightning.engine.two_stage import TwoStage
from lt_lightning.heads import CRT, ClassifierRule


class Decoupled(TwoStage):
    """Decoupling: the representation first, then a classifier on balanced draws.

    cRT trains a new classifier, LWS a factor per class, KeepClassifier the old one; with
    trained_from: all the whole network is tuned on. tau-normalisation and nearest class means need
    no training: `lt test RUN --post_hoc TauNormalization`.

    Paper: Kang et al., Decoupling Representation and Classifier for Long-Tailed Recognition,
    ICLR 2020, section 4.

    Differs from the authors' code in the learning rate of the first and the last epoch of stage
    2: theirs steps the cosine before each epoch, so the last one has the rate 0.

    Args:
        classifier: what becomes of the classifier in stage 2.
        kwargs: see TwoStage.
    """

    def __init__(self, *, classifier: ClassifierRule = CRT(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classifier = classifier

    @property
    def needs_first_head(self) -> bool:  # type: ignore[override]
        """Whether stage 2 builds on the classifier of stage 1."""
        return self.classifier.needs_first

    def second_head(self, first: nn.Module) -> nn.Module:
        """Return what the rule makes of the classifier."""
        outputs = self.stage2_loss(self.loss.class_counts.cpu()).num_outputs
        return self.classifier.build(first, self.backbone.out_features, outputs)

    def second_groups(self) -> list[dict[str, Any]]:
        """Return the parameter groups of the rule."""
        return self.classifier.groups(self.head)
