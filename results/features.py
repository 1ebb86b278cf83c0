"""What the features of finished runs tell a classifier, of training and of test images.

python -m results.features DIR RUN [RUN ...]

DIR holds the folders of lossless CIFAR-10, RUN is a run at ratio 100. Accuracies are macro over
classes, training images are not augmented. Beside the run's own classifier stand two logistic
regressions in which each class weighs alike: one fitted to the training features, one to every
second test image and tested on the others, which says what a classifier could make of them.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import lt_lightning as lt
from lt_lightning.data import Exponential, ImageFolder, LongTailDataModule
from lt_lightning.methods import LongTailModule

Classifier = Callable[[Tensor], Tensor]


def main() -> None:
    """Write what each run has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images")
    parser.add_argument("runs", nargs="+", type=Path)
    options = parser.parse_args()
    profile = Exponential(imbalance_ratio=100)
    source = ImageFolder(in_memory=True)
    data = LongTailDataModule(source=source, root=options.images, profile=profile)
    data.prepare_data()
    data.setup("fit")
    data.setup("test")
    for folder in options.runs:
        model = lt.load_run(folder).model
        for line in _lines(model, _collect(model, data, "train"), _collect(model, data, "test")):
            sys.stdout.write(f"{folder}: {line}\n")


@torch.no_grad()
def _collect(model: LongTailModule, data: LongTailDataModule, split: str) -> tuple[Tensor, Tensor]:
    pairs = [(model.features(images), labels) for images, labels in data.whole(split)]
    return torch.cat([features for features, _ in pairs]), torch.cat([y for _, y in pairs])


def _lines(
    model: LongTailModule, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]
) -> Iterator[str]:
    own = model.head
    yield f"own classifier: train {macro(own, *train):.1f}, test {macro(own, *test):.1f}"
    of_train = logistic_regression(*train)
    yield f"fitted to train: train {macro(of_train, *train):.1f}, test {macro(of_train, *test):.1f}"
    features, labels = test
    of_half = logistic_regression(features[0::2], labels[0::2])
    other_half = macro(of_half, features[1::2], labels[1::2])
    yield f"fitted to half of test: other half {other_half:.1f}"
    rarest = torch.bincount(train[1]).argmin()
    near, far = (features[labels == rarest] for features, labels in (train, test))
    mean = near.mean(0)
    spread = [(x - mean).norm(dim=1).mean() for x in (near, far)]
    yield f"rarest class, from its training mean: train {spread[0]:.1f}, test {spread[1]:.1f}"


def logistic_regression(features: Tensor, labels: Tensor, decay: float = 1e-4) -> Classifier:
    """Fit a linear classifier (D to C) by L-BFGS, each class of equal weight in the loss."""
    counts = torch.bincount(labels)
    layer = nn.Linear(features.shape[1], len(counts))
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    weights = 1 / (counts * len(counts))
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(layer(features), labels, weights, reduction="sum")
        loss = loss + decay * layer.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return layer


@torch.no_grad()
def macro(classifier: Classifier, features: Tensor, labels: Tensor) -> float:
    """Return the mean of the accuracies of the classes (%)."""
    right = classifier(features).argmax(1) == labels
    return (
        100
        * torch.stack([right[labels == k].float().mean() for k in labels.unique()]).mean().item()
    )


if __name__ == "__main__":
    main()
