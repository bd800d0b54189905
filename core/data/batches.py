"""From a data set to batches on the training device: which images, in which order, normalised."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.data import Images
from core.data.random import mix

Indices = npt.NDArray[np.int64]


def select(labels: Indices, classes: int, share: float, limit: int | None) -> tuple[Indices, Indices]:
    """Sorted indices of (training, held-out) images: ``share`` of each class is held out, at least one where it has two.

    The same for every run, whatever its seed, so that runs can be compared. ``limit`` bounds each part, evenly over classes.
    """
    # The stream of RandomState is frozen for good, which numpy does not promise of its newer generators.
    shuffled = np.random.RandomState(0).permutation(len(labels))
    sizes = np.bincount(labels, minlength=classes)
    held = np.minimum(np.maximum(np.rint(share * sizes), 1), np.maximum(sizes - 1, 0)) if share else np.zeros(classes)
    is_held = _ranks(labels[shuffled]) < held[labels[shuffled]]
    parts = (shuffled[~is_held], shuffled[is_held])
    train, held_out = (np.sort(part[first_per_class(labels[part], limit)]) for part in parts)
    return train, held_out


def first_per_class(labels: Indices, limit: int | None) -> Indices:
    """Sorted indices of the first ``limit`` images, taken in turn from each class; all of them without a limit."""
    if limit is None:
        return np.arange(len(labels))
    return np.sort(np.lexsort((labels, _ranks(labels)))[:limit])


def _ranks(labels: Indices) -> Indices:
    """How many of the same class come before each image."""
    by_class = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    starts = np.cumsum(sizes) - sizes
    ranks = np.empty(len(labels), np.int64)
    ranks[by_class] = np.arange(len(labels)) - starts[labels[by_class]]
    return ranks


def to_device(images: Images, indices: Indices, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Pixels uint8 [n, channels, height, width] and labels int64 [n] of the chosen images, copied to ``device``."""
    return torch.from_numpy(images.pixels[indices]).to(device), torch.from_numpy(images.labels[indices]).to(device)


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on ``device``; one that lies on the host goes there without anyone waiting for it."""
    return tensor if tensor.device.type == device.type else tensor.pin_memory().to(device, non_blocking=True)


def order(seed: int, epoch: int, count: int) -> Tensor:
    """The epoch's permutation of 0 .. count - 1 (int64, on the CPU)."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(mix(seed, epoch)))


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 [B, C, H, W] as (pixel / 255 - mean) / std per channel, computed in float32 on the images' device."""
    scale, offset = _affine(tuple(mean), tuple(std), images.device)
    return torch.addcmul(offset, images.to(torch.float32), scale).to(dtype)


@lru_cache(maxsize=16)  # making a tensor on a GPU waits for it, which a step must not
def _affine(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    deviation = torch.tensor(std, dtype=torch.float64)
    scale = 1 / (255 * deviation)
    offset = -torch.tensor(mean, dtype=torch.float64) / deviation
    return scale.view(-1, 1, 1).float().to(device), offset.view(-1, 1, 1).float().to(device)
