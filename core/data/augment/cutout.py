"""Cutout (DeVries and Taylor 2017, arXiv 1708.04552) on uint8 [B, C, H, W]."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from core.data.augment.select import where
from core.sections import Cutout


def cutout(images: Tensor, transform: Cutout, draws: Tensor, mean: tuple[float, ...]) -> Tensor:
    """A square of each chosen image in the colour ``mean`` (per channel, 0 to 1), cut off at the image's border.

    ``draws`` [B, 3] are the choice and the square's centre, each pixel being as likely.
    """
    height, width = images.shape[-2:]
    rows = _covered(draws[:, 1], height, transform.size) & (draws[:, :1] < transform.p)
    columns = _covered(draws[:, 2], width, transform.size)
    hidden = rows[:, None, :, None] & columns[:, None, None, :]
    return where(hidden, _colour(mean, images.device), images)


def _covered(draws: Tensor, side: int, size: int) -> Tensor:
    """Bool [B, side]: what lies within ``size`` pixels around a centre drawn along a side."""
    first = (draws * side).long() - size // 2
    place = torch.arange(side, device=draws.device) - first[:, None]
    return (place >= 0) & (place < size)


@lru_cache(maxsize=16)  # making a tensor on a GPU waits for it, which a step must not
def _colour(mean: tuple[float, ...], device: torch.device) -> Tensor:
    return torch.tensor([round(255 * value) for value in mean], dtype=torch.uint8).view(-1, 1, 1).to(device)
