"""Plots of a sweep: the best value so far, and what a key's values came to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip

from core.sweep.space import Choice, Dimension, Range
from core.sweep.trials import Trial, best_so_far
from core.view.points import Points
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets import axis
from tui_trainer.widgets.chart import Chart, canvas
from tui_trainer.widgets.curves import Curve
from tui_trainer.widgets.framed import framed
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.metric import metric_of
from tui_trainer.widgets.sweep_panel import SweepPanel

MANY = 10.0
"""How many times the least value the greatest may be before values are drawn along a logarithmic axis."""
LARGEST = 1e100
"""Beyond, a picture could not be divided into rows."""
NONE = "no trial has been measured yet"
Spot = tuple[float, float]


class Drawn(NamedTuple):
    trials: tuple[Trial, ...]
    metric: str
    best: Trial | None
    selected: Trial | None
    key: str = ""
    dimension: Dimension | None = None


class SweepPlot(SweepPanel[Drawn]):
    """Values upwards; where they stand is for its children to say."""

    COLOURED = False

    def reads(self, state: State, now: float) -> Drawn:
        look, selected = self.sweeping.look, self.sweeping.selected
        shown = tuple(trial for trial in look.trials if _can_be_drawn(trial.value))
        return Drawn(shown, look.file.metric, look.best, selected if selected in shown else None)

    def draw(self, reads: Drawn, size: Size, colours: Palette) -> Sequence[Text | Strip]:
        chart, marks = self.chart(reads, size.width, colours), glyphs()
        drawn = canvas(chart, size.width, size.height, marks, marks.markers[0])
        return [row.strip() for row in framed(chart, drawn, size.width, size.height, colours, marks)]

    def chart(self, reads: Drawn, width: int, colours: Palette) -> Chart:
        raise NotImplementedError

    def place(self, trial: Trial, reads: Drawn) -> float | None:
        """Where it stands along the bottom."""
        raise NotImplementedError

    def curves(self, reads: Drawn, colours: Palette) -> list[Curve]:
        """Each trial a point: the best and the selected one otherwise than the rest."""
        factor, marks = metric_of(reads.metric).factor, glyphs()
        special = {trial.number for trial in (reads.best, reads.selected) if trial}
        rest = [trial for trial in reads.trials if trial.number not in special]
        groups: list[tuple[list[Trial], str, str]] = [
            ([trial for trial in rest if trial.state != "finished"], colours.muted, "x" if marks is ASCII else "×"),
            ([trial for trial in rest if trial.state == "finished"], colours.bar, ""),
            ([reads.best] if reads.best else [], colours.good, "*"),
            ([reads.selected] if reads.selected else [], colours.held_out, marks.saved),
        ]
        return [
            Curve(colour, _points(self._spots(trials, reads)), factor, tag=tag, alone=True) for trials, colour, tag in groups
        ]

    def _spots(self, trials: Iterable[Trial], reads: Drawn) -> Iterable[Spot]:
        for trial in trials:
            if trial.value is not None and (place := self.place(trial, reads)) is not None:
                yield place, trial.value


class HistoryPlot(SweepPlot):
    NAME = "best so far"

    def place(self, trial: Trial, reads: Drawn) -> float | None:
        return float(trial.number)

    def chart(self, reads: Drawn, width: int, colours: Palette) -> Chart:
        stairs, last = list[Spot](), max((trial.number for trial in reads.trials), default=1)
        for number, value in best_so_far(reads.trials, reads.metric):
            stairs += [(float(number), stairs[-1][1])] if stairs else []
            stairs.append((float(number), value))
        if stairs:
            stairs.append((float(last), stairs[-1][1]))
        line = Curve(colours.good, _points(stairs), metric_of(reads.metric).factor, band=True)  # straight up or down
        curves = (line, *self.curves(reads, colours))
        return Chart(curves, 0.0, last + 1.0, _wide(reads), unit=(1.0, "trial"), places=_numbers(last, width), empty=NONE)

    def title(self, reads: Drawn, colours: Palette) -> Text:
        return Text(f"{self.NAME}  {printable(reads.metric)}")


class KeyPlot(SweepPlot):
    NAME = "key"

    def reads(self, state: State, now: float) -> Drawn:
        look, key = self.sweeping.look, self.sweeping.key
        return super().reads(state, now)._replace(key=key, dimension=look.file.space.get(key))

    def place(self, trial: Trial, reads: Drawn) -> float | None:
        value = trial.values.get(reads.key)
        match reads.dimension:
            case Choice(values):
                return float(values.index(value)) if value in values else None
            case Range(log=log) if isinstance(value, (int, float)) and _can_be_drawn(value):
                return (axis.logarithm(value) if value > 0 else None) if log else float(value)
        return None

    def chart(self, reads: Drawn, width: int, colours: Palette) -> Chart:
        left, right = self._edges(reads)
        places = _names(reads.dimension, left, right, width)
        return Chart(tuple(self.curves(reads, colours)), left, right, _wide(reads), empty=NONE, places=places, unit=(1.0, ""))

    def _edges(self, reads: Drawn) -> tuple[float, float]:
        """Of the range, or of what there is, with some room."""
        found = [place for trial in reads.trials if (place := self.place(trial, reads)) is not None]
        match reads.dimension:
            case Choice(values):
                return -0.5, len(values) - 0.5
            case Range(low=low, high=high, log=log) if low < high and (low > 0 or not log) and _can_be_drawn(high - low):
                found += [axis.logarithm(low), axis.logarithm(high)] if log else [low, high]
        low, high = min(found, default=0.0), max(found, default=1.0)
        room = 0.02 * (high - low) or max(abs(high), 1.0) * 0.1
        return low - room, high + room

    def title(self, reads: Drawn, colours: Palette) -> Text:
        return Text(f"{printable(reads.key)}  {printable(reads.metric)}")


def _points(spots: Iterable[Spot]) -> Points:
    found = sorted(spots, key=lambda spot: spot[0])
    return Points.raw([place for place, _ in found], [value for _, value in found])


def _can_be_drawn(value: float | None) -> bool:
    return value is not None and abs(value) <= LARGEST


def _wide(reads: Drawn) -> bool:
    values = [trial.value for trial in reads.trials if trial.value is not None]
    return bool(values) and min(values) > 0 and max(values) > MANY * min(values)


def _numbers(last: int, width: int) -> dict[float, str]:
    """Of trials."""
    spacing = max(round(axis.spacing(last / max(2, width // 8))), 1)
    return {float(number): str(number) for number in range(spacing, last + 1, spacing)}


def _names(dimension: Dimension | None, left: float, right: float, width: int) -> dict[float, str]:
    match dimension:
        case Choice(values):
            room = max(width // len(values) - 2, 1) if values else 1
            return {float(place): printable(value)[:room] for place, value in enumerate(values)}
        case Range(log=True):
            return axis.log_ticks(left, right, max(2, width // 10))
        case _:
            levels = axis.ticks(left, right, max(2, width // 8))
            step = levels[1] - levels[0] if len(levels) > 1 else max(right - left, math.ulp(1.0))
            return {level: axis.label(level, step) for level in levels}
