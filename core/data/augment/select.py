"""Choosing between two batches of bytes, pixel by pixel or image by image."""

from __future__ import annotations

from torch import Tensor


def where(mask: Tensor, inside: Tensor, outside: Tensor) -> Tensor:
    """As torch.where on uint8, which with a mask to be broadcast takes several times as long on a CPU."""
    return outside * ~mask + inside * mask
