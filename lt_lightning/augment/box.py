"""Boxes as masks, one per image, cut at the border."""

import torch
from torch import Tensor


def box_mask(
    size: tuple[int, int], center_y: Tensor, center_x: Tensor, box_height: Tensor, box_width: Tensor
) -> Tensor:
    """Return which pixels lie in a box, bool (M, 1, H, W).

    Args:
        size: (H, W) of the images.
        center_y: int64 (M,), row of the middle.
        center_x: int64 (M,), column of the middle.
        box_height: int64 (M,) or (1,), in pixels before the cut at the border.
        box_width: int64 (M,) or (1,), in pixels before the cut at the border.
    """
    rows = torch.arange(size[0], device=center_y.device)
    columns = torch.arange(size[1], device=center_x.device)
    top = (center_y - box_height // 2).unsqueeze(1)
    left = (center_x - box_width // 2).unsqueeze(1)
    in_rows = (rows >= top) & (rows < top + box_height.unsqueeze(1))  # (M, H)
    in_columns = (columns >= left) & (columns < left + box_width.unsqueeze(1))  # (M, W)
    return (in_rows.unsqueeze(2) & in_columns.unsqueeze(1)).unsqueeze(1)
