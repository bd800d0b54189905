"""Images and draws to test transforms with."""

from __future__ import annotations

import torch
from torch import Tensor

from core.data import random


def pictures(count: int, height: int = 32, width: int = 32, channels: int = 3) -> Tensor:
    """White noise, uint8 [count, channels, height, width]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator)


def draws(rows: int, count: int, stream: int = 0) -> Tensor:
    """Float32 [rows, count] in [0, 1)."""
    return random.uniform(0, 1, torch.arange(rows), stream, count)
