"""Features in the plane, for the eye."""

import torch
from torch import Tensor

from lt_lightning.errors import UserError

PERPLEXITY = 30.0
LEAST = 5  # fewer points have no neighbourhoods
SHOWN = 2000


def choose_shown(labels: Tensor, limit: int = SHOWN) -> Tensor:
    """Return the places of the first images of each class, as many of each, at most `limit`.

    A picture of all images shows the frequent classes only. Where there are more classes than
    `limit`, classes at equal distances are taken.

    Args:
        labels: int64 (N,).
        limit: at most so many.
    """
    places = [torch.nonzero(labels == k).flatten() for k in sorted(set(labels.tolist()))]
    each = max(limit // max(len(places), 1), 1)
    if len(places) > limit:
        places = [places[k * len(places) // limit] for k in range(limit)]
    return torch.cat([found[:each] for found in places]) if places else labels


def tsne(features: Tensor, seed: int = 0) -> Tensor:
    """Return t-SNE of the features, (N, 2).

    The perplexity is 30, or a third of the number of images where these are few. Distances
    between far groups and the sizes of groups mean nothing.

    Paper: van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 2008; scikit-learn's code.

    Args:
        features: (N, D), N at least 5.
        seed: of a random start, where the features are equal; else the start is the first two
            principal components.

    Raises:
        UserError: if there are too few images, or features that are not finite.
    """
    if len(features) < LEAST:
        raise UserError(f"There are {len(features)} test images: t-SNE needs {LEAST} or more.")
    if not bool(features.isfinite().all()):
        raise UserError("Some features are not finite: the run diverged, train it again.")
    from sklearn.manifold import TSNE  # here, for it takes a second to load

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    # Equal features have no principal axis: scikit-learn 1.9 divides by 0 and crashes the process.
    spread = min(features.shape) >= 2 and bool((features != features[0]).any())
    start = "pca" if spread else "random"
    change = TSNE(perplexity=perplexity, init=start, random_state=seed)
    found = change.fit_transform(features.double().cpu().numpy())
    return torch.from_numpy(found).float()
