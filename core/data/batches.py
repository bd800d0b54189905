"""From a data set to batches on the training device: which images, in which order, normalised."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.data import Dataset, Images
from core.data.random import mix
from core.data.shaping import ranks
from core.sections import Data

Indices = npt.NDArray[np.int64]
COPIED = 4096
"""Images that are copied to the device at a time, so that the host need not hold all of them as well."""


def select(labels: Indices, classes: int, share: float, limit: int | None) -> tuple[Indices, Indices]:
    """Sorted indices of (training, held-out) images: ``share`` of each class is held out, at least one where it has two.

    The same for every run, whatever its seed, so that runs can be compared. ``limit`` bounds each part, evenly over classes.
    """
    # The stream of RandomState is frozen for good, which numpy does not promise of its newer generators.
    shuffled = np.random.RandomState(0).permutation(len(labels))
    sizes = np.bincount(labels, minlength=classes)
    held = np.minimum(np.maximum(np.rint(share * sizes), 1), np.maximum(sizes - 1, 0)) if share else np.zeros(classes)
    is_held = ranks(labels[shuffled]) < held[labels[shuffled]]
    parts = (shuffled[~is_held], shuffled[is_held])
    train, held_out = (np.sort(part[first_per_class(labels[part], limit)]) for part in parts)
    return train, held_out


def first_per_class(labels: Indices, limit: int | None) -> Indices:
    """Sorted indices of the first ``limit`` images, taken in turn from each class; all of them without a limit."""
    if limit is None:
        return np.arange(len(labels))
    return np.sort(np.lexsort((labels, ranks(labels)))[:limit])


class Chosen(NamedTuple):
    """Some of a split's images, by their sorted places in it."""

    images: Images
    indices: Indices

    @property
    def labels(self) -> Indices:
        return self.images.labels[self.indices]

    @property
    def bytes(self) -> int:
        return int(len(self.indices) * self.images.pixels[:1].nbytes)


def splits(dataset: Dataset, settings: Data) -> tuple[Chosen, Chosen, Chosen]:
    """What is trained on, held out, and used for test. What the data themselves hold out takes the place of a share of the
    training images, unless nothing is to be held out."""
    own = dataset.validation if settings.validation else None
    share = 0.0 if own else settings.validation
    train, held_out = select(dataset.train.labels, len(dataset.classes), share, settings.limit)
    test = first_per_class(dataset.test.labels, settings.limit)
    held = Chosen(own, first_per_class(own.labels, settings.limit)) if own else Chosen(dataset.train, held_out)
    return Chosen(dataset.train, train), held, Chosen(dataset.test, test)


def balanced_weights(labels: Indices, classes: int) -> Tensor:
    """Float32 [classes]: what an image of each weighs, so that all classes weigh the same and the mean image weighs 1."""
    sizes = np.bincount(labels, minlength=classes)
    weights = len(labels) / (np.count_nonzero(sizes) * np.maximum(sizes, 1))
    return torch.from_numpy(np.where(sizes > 0, weights, 0.0)).float()


def to_device(images: Images, indices: Indices, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Pixels uint8 [n, channels, height, width] and labels int64 [n] of the chosen images, copied to ``device``."""
    pixels = torch.empty((len(indices), *images.pixels.shape[1:]), dtype=torch.uint8, device=device)
    for start in range(0, len(indices), COPIED):
        part = indices[start : start + COPIED]
        pixels[start : start + COPIED] = torch.from_numpy(images.pixels[part])
    return pixels, torch.from_numpy(images.labels[indices]).to(device)


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on ``device``; one that lies on the host goes there without anyone waiting for it."""
    return tensor if tensor.device.type == device.type else tensor.pin_memory().to(device, non_blocking=True)


def order(seed: int, epoch: int, count: int) -> Tensor:
    """The epoch's permutation of 0 .. count - 1 (int64, on the CPU)."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(mix(seed, epoch)))


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 [B, C, H, W] as (pixel / 255 - mean) / std per channel, computed in float32 on the images' device."""
    return normalised(images, *affine(tuple(mean), tuple(std), images.device)).to(dtype)


def normalised(images: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    return torch.addcmul(offset, images.to(torch.float32), scale)


@lru_cache(maxsize=16)  # making a tensor on a GPU waits for it, which a step must not
def affine(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Scale and offset, [channels, 1, 1], by which pixels from 0 to 255 are normalised."""
    deviation = torch.tensor(std, dtype=torch.float64)
    scale = 1 / (255 * deviation)
    offset = -torch.tensor(mean, dtype=torch.float64) / deviation
    return scale.view(-1, 1, 1).float().to(device), offset.view(-1, 1, 1).float().to(device)
