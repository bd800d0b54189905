"""Images that stay in the file that they are mapped from, since they would crowd the memory; those asked for are read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Mapped:
    """As a uint8 tensor [n, channels, height, width] on the host, as far as batches are taken from one."""

    device = torch.device("cpu")

    def __init__(self, pixels: npt.NDArray[np.uint8], indices: npt.NDArray[np.int64]) -> None:
        """The images of ``pixels`` at ``indices``."""
        self._pixels, self._indices = pixels, indices
        self.shape = torch.Size((len(indices), *pixels.shape[1:]))

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, chosen: slice | Tensor) -> Tensor:
        places = chosen.numpy() if isinstance(chosen, Tensor) else chosen
        return torch.from_numpy(self._pixels[self._indices[places]])

    def index_select(self, dimension: int, index: Tensor) -> Tensor:
        assert dimension == 0
        return self[index]
