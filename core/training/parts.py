"""One rank's part of a batch: what it adds to the loss of the whole."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from core.data.mixing import Targets


class Part(NamedTuple):
    """``own`` are the targets of this rank's images, ``whole`` those of the batch, which is divided over ``ranks``."""

    own: Targets
    whole: Targets
    ranks: int

    def loss(self, logits: Tensor, label_smoothing: float, weights: Tensor | None = None) -> Tensor:
        """As :meth:`Targets.loss`, so weighted that its mean over the ranks is the loss of the whole batch."""
        own, whole = self.own, self.whole
        first = Targets(own.labels, own.labels, 1.0).loss(logits, label_smoothing, weights)
        first = first * self._weight(own.labels, whole.labels, weights)
        if own.share == 1:
            return first
        second = Targets(own.others, own.others, 1.0).loss(logits, label_smoothing, weights)
        return own.share * first + (1 - own.share) * second * self._weight(own.others, whole.others, weights)

    def correct(self, logits: Tensor) -> Tensor:
        return self.own.correct(logits)

    def _weight(self, own: Tensor, whole: Tensor, weights: Tensor | None) -> float | Tensor:
        if weights is None:
            return self.ranks * len(own) / len(whole)
        return self.ranks * weights[own].sum() / weights[whole].sum()
