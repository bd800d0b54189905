"""Where the images of a split lie."""

from __future__ import annotations

import numpy as np
import torch

from core.data import batches
from core.data.mapped import Mapped
from core.training import device as devices
from core.training.evaluation import Examples


def examples(chosen: batches.Chosen, device: torch.device) -> Examples:
    """On the device, on the host, or left in the file that they are mapped from: wherever there is room for them."""
    place = devices.storage(chosen.bytes, device)
    if place is None and isinstance(chosen.images.pixels, np.memmap):
        return Examples(Mapped(chosen.images.pixels, chosen.indices), torch.from_numpy(chosen.labels))
    return Examples(*batches.to_device(*chosen, place or torch.device("cpu")))
