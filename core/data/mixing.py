"""Mixup (arXiv 1710.09412) and CutMix (arXiv 1905.04899): a batch blended with itself in another order."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.data.random import mix, uniform
from core.sections import Mixing


class Answers(Protocol):
    """What images show, as logits are held against it."""

    def loss(self, logits: Tensor, label_smoothing: float, weights: Tensor | None = None) -> Tensor: ...
    def correct(self, logits: Tensor) -> Tensor: ...


class Targets(NamedTuple):
    """What each image shows: ``share`` of the first label and the rest of the second (int64 [B] each)."""

    labels: Tensor
    others: Tensor
    share: float

    def loss(self, logits: Tensor, label_smoothing: float, weights: Tensor | None = None) -> Tensor:
        """The mean cross-entropy of logits [B, classes] with both labels, in their shares; with ``weights`` [classes] the
        weighted mean, as torch has it."""
        first = functional.cross_entropy(logits, self.labels, weights, label_smoothing=label_smoothing)
        if self.share == 1:
            return first
        second = functional.cross_entropy(logits, self.others, weights, label_smoothing=label_smoothing)
        return self.share * first + (1 - self.share) * second

    def correct(self, logits: Tensor) -> Tensor:
        """How many are taken for the label of the larger share (int64, on the device)."""
        return (logits.argmax(1) == (self.labels if self.share >= 0.5 else self.others)).sum()


class Box(NamedTuple):
    """Rows from ``top`` to before ``bottom``, columns from ``left`` to before ``right``."""

    top: int
    bottom: int
    left: int
    right: int


def blend(images: Tensor, labels: Tensor, mixing: Mixing, seed: int, epoch: int, step: int) -> tuple[Tensor, Targets]:
    """Normalised images [B, C, H, W] and labels [B], mixed as the recipe has it; ``images`` itself stays as it was.

    Share, box and order depend on (seed, epoch, step, the batch's size) alone. Nothing waits for the device.
    """
    if not (mixing.mixup or mixing.cutmix):
        return images, Targets(labels, labels, 1.0)
    key = mix(seed, epoch, step)
    # The stream of RandomState is frozen for good, which numpy does not promise of its newer generators.
    chance = np.random.RandomState(divmod(key, 1 << 32))
    if chance.random_sample() >= mixing.p:
        return images, Targets(labels, labels, 1.0)
    order = uniform(key, 0, torch.arange(len(labels), device=labels.device), 0, 1)[:, 0].argsort(stable=True)
    both = mixing.mixup > 0 and mixing.cutmix > 0
    if mixing.cutmix == 0 or (both and chance.random_sample() < 0.5):
        share = chance.beta(mixing.mixup, mixing.mixup)
        return images.index_select(0, order).lerp_(images, share), Targets(labels, labels[order], share)
    height, width = images.shape[-2:]
    top, bottom, left, right = box = draw_box(chance, mixing.cutmix, height, width)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[order, :, top:bottom, left:right]
    return mixed, Targets(labels, labels[order], share_outside(box, height, width))


def draw_box(chance: np.random.RandomState, alpha: float, height: int, width: int) -> Box:
    """A box of the image's proportions and of an area of 1 - Beta(alpha, alpha), its centre anywhere, cut off at the border."""
    side = (1 - chance.beta(alpha, alpha)) ** 0.5
    middle, half = chance.randint(height), int(height * side) // 2
    centre, half_width = chance.randint(width), int(width * side) // 2
    return Box(max(middle - half, 0), min(middle + half, height), max(centre - half_width, 0), min(centre + half_width, width))


def share_outside(box: Box, height: int, width: int) -> float:
    """Share of an image that its box leaves."""
    return 1 - (box.bottom - box.top) * (box.right - box.left) / (height * width)
