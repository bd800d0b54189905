"""Measuring a network on a split: loss, accuracy, accuracy by class and the confusion counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.data.batches import normalise
from core.training.device import autocast


class Examples(NamedTuple):
    """A split on the training device: images uint8 ``[n, channels, height, width]`` and labels int64 ``[n]``."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class Normalisation(NamedTuple):
    """Per channel, of pixel values from 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class Result(NamedTuple):
    """``confusion[t][p]``: images of class t taken for p. The loss is the mean cross-entropy per image."""

    loss: float
    confusion: list[list[int]]

    @property
    def correct(self) -> list[int]:
        return [row[index] for index, row in enumerate(self.confusion)]

    @property
    def images(self) -> list[int]:
        return [sum(row) for row in self.confusion]

    @property
    def accuracy(self) -> float:
        return sum(self.correct) / max(1, sum(self.images))


class Evaluation:
    """One pass over a split, a batch at a time, so that others may have their say in between.

    Iterating yields the number of images done so far; ``result()`` is for when it is through.
    """

    def __init__(
        self, network: nn.Module, examples: Examples, classes: int, normalisation: Normalisation, batch: int, precision: str
    ) -> None:
        self.network, self.examples, self.classes = network, examples, classes
        self.normalisation, self.batch, self.precision = normalisation, batch, precision
        device = examples.images.device
        self._loss = torch.zeros((), dtype=torch.float32 if device.type == "mps" else torch.float64, device=device)
        self._counts = torch.zeros(classes * classes, dtype=torch.int64, device=device)

    def __iter__(self) -> Iterator[int]:
        training = self.network.training
        self.network.eval()
        try:
            for start in range(0, len(self.examples), self.batch):
                self._take(slice(start, start + self.batch))
                yield min(start + self.batch, len(self.examples))
        finally:
            self.network.train(training)

    @torch.no_grad()
    def _take(self, part: slice) -> None:
        labels = self.examples.labels[part]
        logits = logits_of(self.network, self.examples.images[part], self.normalisation, self.precision)
        self._loss += F.cross_entropy(logits, labels, reduction="sum")
        pairs = labels * self.classes + logits.argmax(1)
        self._counts += torch.bincount(pairs, minlength=self.classes * self.classes)

    def result(self) -> Result:
        counts = self._counts.reshape(self.classes, self.classes).tolist()
        return Result(self._loss.item() / max(1, len(self.examples)), counts)


def logits_of(network: nn.Module, images: Tensor, normalisation: Normalisation, precision: str) -> Tensor:
    """uint8 images ``[n, channels, height, width]`` to float32 logits ``[n, classes]``."""
    with autocast(precision, images.device):
        logits: Tensor = network(normalise(images, *normalisation))
    return logits.float()
