"""Training at a lower resolution first: which size in which epoch, and images brought to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import UserError
from core.sections import LowResolution


def size_at(low_resolution: Sequence[LowResolution], epoch: int, full: int) -> int:
    """The side of the training images (pixels) in an epoch, counted from 1."""
    for part in low_resolution:
        if epoch <= part.epochs:
            return part.size
        epoch -= part.epochs
    return full


def check(low_resolution: Sequence[LowResolution], network: nn.Module, channels: int, full: int) -> None:
    """Raises UserError for a size above that of the data, or one that the network does not take."""
    device, training = next(network.parameters()).device, network.training
    for index, part in enumerate(low_resolution):
        key = f"low_resolution[{index}].size"
        if part.size > full:
            raise UserError(f"{key}: {part.size} is more than the {full} pixels of the data; use at most {full}")
        try:
            with torch.no_grad():
                network.eval()(torch.zeros(1, channels, part.size, part.size, device=device))
        except Exception as error:  # networks from elsewhere refuse in their own ways
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise UserError(f"{key}: the model does not take images of {part.size} pixels ({reason}); use another") from None
        finally:
            network.train(training)


def resized(images: Tensor, size: int) -> Tensor:
    """Float [B, C, side, side] at size x size: means of whole pixels where the sizes allow it, else bicubic with antialiasing,
    which of torch's filters loses the least."""
    full = images.shape[-1]
    if size == full:
        return images
    weights = _weights(full, size, images.device)
    return weights @ (images @ weights.T)


@lru_cache(maxsize=16)  # making a tensor on a GPU waits for it, which a step must not
def _weights(full: int, size: int, device: torch.device) -> Tensor:
    """Float32 [size, full]: how much of each pixel along a side goes into each of the fewer ones."""
    if full % size == 0:
        return (torch.eye(size).repeat_interleave(full // size, 1) * (size / full)).to(device)
    image = torch.eye(full)[None, None]
    weights = functional.interpolate(image, (size, full), mode="bicubic", antialias=True, align_corners=False)
    return weights[0, 0].to(device)
