"""What the rows of others come to beside their numbers: epochs, and the best value that was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from core import events as e
from core.events import Event, Metrics, from_number
from core.view.words import lower_is_better

MONITORED = ("val.loss", "val.accuracy")
"""What 'best' goes by: the first of these that is told."""
KEPT = 1000
"""Epochs."""


class Best(NamedTuple):
    step: int
    epoch: int
    value: float


class Epochs:
    """Told each row with the names that it has here, it gives the events that end epochs. Epochs are counted from 1, in
    whatever way the file counts them; 0 is the number of no epoch."""

    def __init__(self) -> None:
        self._base, self._seen, self._broken = 0, False, False
        self._rows: dict[int, tuple[int, Metrics]] = {}
        """By epoch its last step, and the latest value of each scalar."""
        self._under_way, self._told = 0, 0
        self._bests: list[Best] = []
        self._metric = ""

    def number(self, epoch: float | None) -> int:
        """Of the epoch that a row belongs to; rows that do not say belong to that of the row before."""
        if epoch is None or not math.isfinite(epoch):
            return self._under_way
        if not self._seen:
            self._seen, self._base = True, int(epoch == 0)
        self._broken = self._broken or not float(epoch).is_integer()  # some count 0.25, 0.5 ... on the way through the first
        found = math.ceil(epoch) if self._broken else int(epoch) + self._base
        return min(max(found, 1), 1 << 31)

    def take(self, step: int, epoch: int, metrics: Metrics, time: float) -> Iterator[Event]:
        """After the row's own events. An epoch ends when it is measured, and when the next begins."""
        if epoch > self._under_way and self._under_way and self._told < self._under_way:
            yield from self._ended(self._under_way, time)
        self._under_way = max(epoch, self._under_way)
        measured = any(name.startswith(("val.", "test.")) for name in metrics)
        if epoch:
            _, known = self._rows.get(epoch, (0, {}))
            more = not metrics.keys() <= known.keys()
            self._rows[epoch] = step, {**known, **metrics}
            if len(self._rows) > KEPT:
                del self._rows[next(iter(self._rows))]
            if measured or (epoch <= self._told and more):  # some write what training came to after the measurement
                yield from self._ended(epoch, time)
        if measured:
            yield from self._measured(step, epoch, metrics, time)

    def back_to(self, step: int) -> None:
        """The rows after a step are taken back."""
        self._bests = [best for best in self._bests if best.step <= step]
        self._rows = {epoch: row for epoch, row in self._rows.items() if row[0] <= step}
        self._under_way = self._told = max(self._rows, default=0)

    def _ended(self, epoch: int, time: float) -> Iterator[Event]:
        step, metrics = self._rows.get(epoch, (0, {}))
        self._told = max(epoch, self._told)
        yield e.EpochDone(epoch=epoch, step=step, metrics=metrics, time=time)

    def _measured(self, step: int, epoch: int, metrics: Metrics, time: float) -> Iterator[Event]:
        self._metric = self._metric or next((name for name in MONITORED if name in metrics), "")
        value = float(metrics.get(self._metric, "nan"))
        if math.isnan(value):
            return
        low = lower_is_better(self._metric)
        before = self._bests[-1] if self._bests else None
        improved = before is None or (value < before.value if low else value > before.value)
        if improved:
            self._bests = [*self._bests[-KEPT:], Best(step, epoch, value)]
        if not improved and not epoch:  # said of each epoch, and else where it has changed
            return
        best = self._bests[-1]
        yield e.EarlyStoppingUpdated(
            enabled=False, metric=self._metric, value=from_number(value), best=from_number(best.value), improved=improved,
            best_epoch=best.epoch, best_step=best.step, epoch=epoch, epochs_since=epoch - best.epoch, time=time,
        )  # fmt: skip
