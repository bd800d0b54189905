"""Measuring a network on a split: loss, accuracy, accuracy by class and the confusion counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.data.batches import normalise, sent
from core.data.mapped import Mapped
from core.sections import Tta
from core.training.device import autocast
from core.training.fitting import fitting

if TYPE_CHECKING:
    from core.training.distributed import Ranks


class Examples(NamedTuple):
    """A split on the training device, on the host when it is too large for that, or else in its file: images uint8
    ``[n, channels, height, width]`` and labels int64 ``[n]``."""

    images: Tensor | Mapped
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class Normalisation(NamedTuple):
    """Per channel, of pixel values from 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class Guesses(NamedTuple):
    """What each image of a split was taken for, and how sure the network was (0 to 1); on the host."""

    taken_for: Tensor
    confidence: Tensor


class Result(NamedTuple):
    """``confusion[t][p]``: images of class t taken for p. The loss is the mean cross-entropy per image."""

    loss: float
    confusion: list[list[int]]
    tta_accuracy: float | None = None
    """With test-time augmentation, where that was asked for; all else is without."""
    guesses: Guesses | None = None
    """Where they were asked for."""

    @property
    def correct(self) -> list[int]:
        return [row[index] for index, row in enumerate(self.confusion)]

    @property
    def images(self) -> list[int]:
        return [sum(row) for row in self.confusion]

    @property
    def accuracy(self) -> float:
        return sum(self.correct) / max(1, sum(self.images))

    @property
    def balanced_accuracy(self) -> float:
        """The mean over the classes that there are images of."""
        shares = [correct / images for correct, images in zip(self.correct, self.images, strict=True) if images]
        return sum(shares) / max(1, len(shares))

    @property
    def unbalanced(self) -> bool:
        """Whether the classes have different numbers of images, so that the balanced accuracy is another than the accuracy."""
        return len(set(self.images)) > 1

    def value(self, metric: str) -> float:
        """``loss``, ``accuracy`` or ``balanced_accuracy``."""
        return float(getattr(self, metric))


class Evaluation:
    """One pass over a split, a batch at a time, so that others may have their say in between.

    Iterating yields the number of images done so far; ``result()`` is for when it is through.
    """

    def __init__(
        self,
        network: nn.Module,
        examples: Examples,
        classes: int,
        normalisation: Normalisation,
        batch: int,
        precision: str,
        tta: Tta = "none",
        remember: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        """``remember`` what each image is taken for. ``ranks`` divide each batch among them."""
        self.ranks = ranks
        self.network, self.examples, self.classes = network, examples, classes
        self.normalisation, self.batch, self.precision, self.tta = normalisation, batch, precision, tta
        self.device = device = next(network.parameters()).device
        self._loss = torch.zeros((), dtype=torch.float32 if device.type == "mps" else torch.float64, device=device)
        self._counts = torch.zeros(classes * classes, dtype=torch.int64, device=device)
        self._tta_correct = torch.zeros((), dtype=torch.int64, device=device)
        remembered = len(examples) if remember else 0
        self._taken_for = torch.zeros(remembered, dtype=torch.int64, device=device)
        self._confidence = torch.zeros(remembered, device=device)

    def __iter__(self) -> Iterator[int]:
        training = self.network.training
        self.network.eval()
        try:
            for start in range(0, len(self.examples), self.batch):
                self._take_fitting(start)
                yield min(start + self.batch, len(self.examples))
        finally:
            self.network.train(training)

    def _take_fitting(self, start: int) -> None:
        """The batch that begins there. Raises TrainingError when the memory does not suffice."""

        def take(images: int) -> None:
            self._take(self._mine(start, images))

        fitting(lambda: take(self.batch), "data.evaluation_batch_size", self.batch, take)

    def _mine(self, start: int, images: int) -> slice:
        if not self.ranks:
            return slice(start, start + images)
        part = self.ranks.part(min(images, len(self.examples) - start))
        return slice(start + part.start, start + part.stop)

    @torch.no_grad()
    def _take(self, part: slice) -> None:
        if part.start == part.stop:
            return
        labels, images = sent(self.examples.labels[part], self.device), sent(self.examples.images[part], self.device)
        logits = self._logits(images)
        self._loss += F.cross_entropy(logits, labels, reduction="sum")
        taken_for = logits.argmax(1)
        if len(self._taken_for):
            self._taken_for[part], self._confidence[part] = taken_for, logits.softmax(1).amax(1)
        pairs = labels * self.classes + taken_for
        self._counts += torch.bincount(pairs, minlength=self.classes * self.classes)
        if self.tta != "none":
            others = other_views(images, self.tta)
            averaged = logits * (1 - sum(share for share, _ in others))
            for share, view in others:
                averaged += share * self._logits(view)
            self._tta_correct += (averaged.argmax(1) == labels).sum()

    def _logits(self, images: Tensor) -> Tensor:
        return logits_of(self.network, images, self.normalisation, self.precision)

    def result(self) -> Result:
        """To be called once."""
        if self.ranks:
            self.ranks.summed(self._loss, self._counts, self._tta_correct, self._taken_for, self._confidence)
        counts = self._counts.reshape(self.classes, self.classes).tolist()
        images = max(1, len(self.examples))
        with_tta = None if self.tta == "none" else self._tta_correct.item() / images
        guesses = Guesses(self._taken_for.cpu(), self._confidence.cpu()) if len(self._taken_for) else None
        return Result(self._loss.item() / images, counts, with_tta, guesses)


def other_views(images: Tensor, tta: Tta) -> list[tuple[float, Tensor]]:
    """What test-time augmentation shows the network beside uint8 ``images`` [n, channels, height, width] themselves, each view
    with its share of the vote; the images' own share is what is left of 1."""
    mirrored = images.flip(-1)
    if tta == "mirror":
        return [(0.5, mirrored)]
    moved = [view for by in (1, -1) for view in (shifted(images, by), shifted(mirrored, by))]
    return [(0.25, mirrored), *((0.125, view) for view in moved)]


def shifted(images: Tensor, by: int) -> Tensor:
    """Moved down and right by ``by`` pixels (up and left when negative), reflected at the border."""
    rows, columns = (_reflected(side, by, images.device) for side in images.shape[-2:])
    return images[:, :, rows[:, None], columns]


def _reflected(side: int, by: int, device: torch.device) -> Tensor:
    """Where each pixel of a row comes from, as numpy's ``reflect`` padding: -1 is 1, ``side`` is ``side - 2``."""
    places = (torch.arange(side, device=device) - by).abs()
    return side - 1 - (side - 1 - places).abs()


def logits_of(network: nn.Module, images: Tensor, normalisation: Normalisation, precision: str) -> Tensor:
    """uint8 images ``[n, channels, height, width]`` to float32 logits ``[n, classes]``."""
    with autocast(precision, images.device):
        logits: Tensor = network(normalise(images, *normalisation))
    return logits.float()
