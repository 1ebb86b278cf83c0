"""Unit vectors and labels that the tests of contrastive losses share."""

import torch
import torch.nn.functional as F

CLASSES, WIDTH, ROWS = 5, 6, 13
COUNTS = torch.tensor([90, 40, 12, 5, 1])


def unit(rows, seed=0, like=None):
    generator = torch.Generator().manual_seed(seed)
    found = F.normalize(torch.randn(rows, WIDTH, generator=generator, dtype=torch.float64), dim=1)
    return found if like is None else found.to(like.dtype)


def labels(rows=ROWS):
    """Labels of four classes, and one image alone in the fifth."""
    drawn = torch.arange(rows) % (CLASSES - 1)
    drawn[rows // 2] = CLASSES - 1
    return drawn
