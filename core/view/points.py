"""A scalar's points as columns, which are cut and looked through many times as fast as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.view.series import Bin, Series


@dataclass(slots=True)
class Points:
    """In the order of their steps; a raw point has low == mean == high."""

    steps: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)

    @classmethod
    def raw(cls, steps: Sequence[float], values: Sequence[float]) -> Points:
        return cls(list(steps), list(values), list(values), list(values))

    @classmethod
    def of(cls, bins: Sequence[Bin]) -> Points:
        steps, lows, highs = [float(item.step) for item in bins], [item.low for item in bins], [item.high for item in bins]
        return cls(steps, lows, [item.mean for item in bins], highs)

    def __len__(self) -> int:
        return len(self.steps)

    def __add__(self, later: Points) -> Points:
        return Points(
            self.steps + later.steps, self.lows + later.lows, self.means + later.means, self.highs + later.highs
        )  # fmt: skip

    def first(self, count: int) -> Points:
        return Points(self.steps[:count], self.lows[:count], self.means[:count], self.highs[:count])


class Track:
    """The whole of a scalar and what it is when smoothed, kept up to date at the price of what is new."""

    def __init__(self) -> None:
        self.points, self.smoothed = Points(), Points()
        self._bins: tuple[Bin, ...] = ()
        self._averages: list[float] = []
        self._weight = 0.0

    def follow(self, series: Series, weight: float) -> None:
        """``weight`` (0 up to, not including, 1) is the share of the past in the smoothed curve."""
        kept = max(len(self._bins) - 1, 0)  # the last one may have grown
        if series.bins[:kept] != self._bins[:kept]:  # at once where they are the very same
            kept = 0
        self._bins, self.points = series.bins, self.points.first(kept) + Points.of(series.bins[kept:])
        self._smooth(weight, kept if weight == self._weight else 0)

    def _smooth(self, weight: float, kept: int) -> None:
        """An exponential moving average over the bins, without the pull towards zero at the start."""
        del self._averages[kept:]
        self._weight, average = weight, self._averages[-1] if self._averages else 0.0
        for mean in self.points.means[kept:]:
            average = weight * average + (1.0 - weight) * mean
            self._averages.append(average)
        known = self.smoothed.means[:kept]
        values = known + [self._averages[place] / (1.0 - weight ** (place + 1)) for place in range(kept, len(self._averages))]
        self.smoothed = Points(self.points.steps, values, values, values)
