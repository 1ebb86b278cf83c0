"""Nearest class mean on a finished run."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.errors import UserError
from lt_lightning.heads import NearestMeanHead
from lt_lightning.heads.nearest_mean import Distance, Form
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.outputs import training_features


class NearestMean(PostHoc):
    """Nearest class mean (NCM): the classifier gives way to the means of the training features.

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, section 4.1.

    Differs from the authors' code in that "cosine" is a true cosine.

    Args:
        distance: "euclidean" or "cosine".
        temperature: the logits are multiplied by it: accuracy does not depend on it, calibration
            does. Distances of normalised features lie in [0, 4], so 1 gives very low confidences.
        form: of the features: "cl2n" centred and of length 1, "l2n" of length 1, "raw" as they
            are.

    Raises:
        UserError: if the temperature is not positive.
    """

    def __init__(
        self, distance: Distance = "euclidean", temperature: float = 10.0, form: Form = "cl2n"
    ) -> None:
        if not temperature > 0:
            raise UserError(f"temperature is {temperature}: give a positive number.")
        self.distance: Distance = distance
        self.temperature, self.form = temperature, form

    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the mean of all features (D,) and of each class (C, D)."""
        features, targets = training_features(model, data)
        head = self._head(model, features.shape[1]).to(features.device)
        head.fit(features, targets)
        return {"mean": head.mean, "centroids": head.centroids}

    def put(self, model: LongTailModule, values: Mapping[str, Tensor]) -> None:
        """Replace the classifier."""
        head = self._head(model, values["centroids"].shape[1])
        head.load_state_dict(dict(values))
        model.head = head.to(model.device)

    def _head(self, model: LongTailModule, width: int) -> NearestMeanHead:
        return NearestMeanHead(
            torch.zeros(0, width),
            torch.zeros(0, dtype=torch.int64),
            model.num_classes,
            distance=self.distance,
            temperature=self.temperature,
            form=self.form,
        )

    def describe(self) -> str:
        """Return the name, the distance, and the form where it is not the usual one."""
        form = "" if self.form == "cl2n" else f"_{self.form}"
        return f"ncm_{self.distance}{form}"
