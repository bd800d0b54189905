"""A run's scalars as line charts: where each line, tick and mark stands in a picture of fixed size, in its own units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from core.view.points import Track
from core.view.readings import monitor
from core.view.series import LARGEST, Series
from core.view.state import State
from core.view.words import count, format_count
from tui_trainer.widgets.axis import label, spacing, ticks
from tui_trainer.widgets.metric import Metric, metrics, split_of
from tui_trainer.widgets.reduction import Spot, by_column, scaled

WIDTH, HEIGHT = 360, 200
"""As wide as a telephone, so that letters can be read there."""
LEFT, RIGHT, TOP, BOTTOM = 46, 352, 26, 176
"""Edges of the part that curves are drawn in."""
COLUMNS = 300
"""Different places along a curve; more can not be told apart."""
SMOOTHING = 0.8
"""Weight of the past in the smoothed curves, the console's usual one."""
MOST = 24
"""Charts."""
MOST_EPOCHS, MOST_TICKS, MOST_DOTS = 8, 5, 60
MANY = 1e7
"""Steps from which on there is no room for all of their digits."""
NOTHING_WIDE = 1e-9
"""Of a value: a range that is no wider is that of a constant."""


class Tick(NamedTuple):
    place: float
    words: str


class Moment(NamedTuple):
    """Something that happened to the run, told where a pointer rests on it."""

    place: float
    kind: str
    words: str


class Line(NamedTuple):
    """``kind`` decides on the colour; ``path``, ``smooth`` and ``band`` are data of SVG paths, empty where there is none."""

    kind: str
    name: str
    value: str
    path: str
    smooth: str
    band: str
    dots: tuple[tuple[str, str], ...]


class Plot(NamedTuple):
    heading: str
    description: str
    """For those who cannot see it."""
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    epochs: tuple[Tick, ...]
    moments: tuple[Moment, ...]
    best: Tick | None
    diverged: Tick | None


class Scale(NamedTuple):
    """Steps and values to places in the picture."""

    right: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return LEFT + (RIGHT - LEFT) * min(max(step / self.right, 0.0), 1.0)

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - self.low) / (self.high - self.low)


class Curve(NamedTuple):
    name: str
    series: Series
    spots: list[Spot]
    smooth: list[Spot]


def plots(state: State) -> list[Plot]:
    """A chart of each scalar of which there are values, in the console's order."""
    found = ((metric, _curves(metric, state)) for metric in metrics(state.series))
    return [_plot(metric, curves, state) for metric, curves in found if curves][:MOST]


def last_step(state: State) -> int:
    return max(state.step, *(item.bins[-1].step for item in state.series.values() if item.bins), 1)


def _curves(metric: Metric, state: State) -> list[Curve]:
    known = ((name, state.series[name]) for name in metric.names(state) if name in state.series)
    return [_curve(metric, name, series, float(last_step(state))) for name, series in known if series.recent or series.bins]


def _curve(metric: Metric, name: str, series: Series, end: float) -> Curve:
    """What is measured on a split, or set, is not smoothed."""
    track, smooths = Track(), not (metric.exact or split_of(name))
    track.follow(series, SMOOTHING if smooths else 0.0)
    spots = scaled(by_column(track.points, 0.0, end, COLUMNS), metric.factor)
    smooth = scaled(by_column(track.smoothed, 0.0, end, COLUMNS), metric.factor) if smooths else []
    return Curve(name, series, spots, smooth)


def _plot(metric: Metric, curves: list[Curve], state: State) -> Plot:
    scale = _scale(curves, float(last_step(state)))
    diverged = min((curve.series.diverged_at for curve in curves if curve.series.diverged_at is not None), default=None)
    return Plot(
        metric.heading,
        "; ".join(_described(metric, curve) for curve in curves),
        tuple(_line(metric, curve, scale, metric.compared or len(curves) > 1) for curve in curves),
        tuple(Tick(scale.x(step), _step(step)) for step in ticks(0.0, scale.right, MOST_TICKS)),
        tuple(Tick(scale.y(value), words) for value, words in _round(scale.low, scale.high)),
        tuple(_epochs(state, scale)),
        tuple(_moments(state, scale)),
        _best(metric, curves, state, scale),
        None if diverged is None else Tick(scale.x(diverged), f"not finite at step {diverged:,} for the first time"),
    )


def _scale(curves: Iterable[Curve], right: float) -> Scale:
    """All values, with a little room around them."""
    spots = [spot for curve in curves for spot in curve.spots]
    low, high = min((spot.low for spot in spots), default=0.0), max((spot.high for spot in spots), default=1.0)
    largest = max(abs(low), abs(high))
    room = 0.04 * (high - low) if high - low > NOTHING_WIDE * max(largest, NOTHING_WIDE) else 0.1 * largest or 0.5
    return Scale(right, low - room, high + room)


def _round(low: float, high: float) -> Iterator[tuple[float, str]]:
    found = ticks(low, high, MOST_TICKS)
    width = found[1] - found[0] if len(found) > 1 else high - low
    return ((value, label(value, width)) for value in found)


def _step(step: float) -> str:
    if step >= MANY:
        return format_count(step)
    return f"{step:,.0f}" if step == round(step) else f"{step:g}"


def _line(metric: Metric, curve: Curve, scale: Scale, named: bool) -> Line:
    """``named``: which of several it is has to be said."""
    split = split_of(curve.name)
    spots = curve.spots if split and len(curve.spots) <= MOST_DOTS else []
    dots = tuple((_number(scale.x(spot.step)), _number(scale.y(spot.mean))) for spot in spots)
    return Line(
        split or ("rate" if metric.exact else "train"), (split or "train") if named else "", _last(metric, curve.series),
        _path([(spot.step, spot.mean) for spot in curve.spots], scale),
        _path([(spot.step, spot.mean) for spot in curve.smooth], scale), _band(curve.spots, scale), dots,
    )  # fmt: skip


def _last(metric: Metric, series: Series) -> str:
    """The latest value, NaN included."""
    value = series.last
    return metric.written(None if value is None else value * metric.factor)


def _path(points: Sequence[tuple[float, float]], scale: Scale) -> str:
    return "M" + "L".join(f"{_number(scale.x(step))},{_number(scale.y(value))}" for step, value in points) if points else ""


def _band(spots: Sequence[Spot], scale: Scale) -> str:
    """From the least to the greatest value of each place; none where each has but one."""
    if all(spot.low == spot.high for spot in spots):
        return ""
    there, back = [(spot.step, spot.high) for spot in spots], [(spot.step, spot.low) for spot in reversed(spots)]
    return f"{_path([*there, *back], scale)}Z"


def _number(place: float) -> str:
    return f"{place:.1f}".removesuffix(".0")


def _epochs(state: State, scale: Scale) -> Iterator[Tick]:
    """Ends of epochs, as many as can be told apart."""
    length = state.steps_per_epoch
    whole = int(scale.right // length) if length > 0 else 0
    if whole:
        every = int(spacing(max(1.0, whole / MOST_EPOCHS)))
        yield from (Tick(scale.x(epoch * length), f"{epoch:,}") for epoch in range(every, whole + 1, every))


def _moments(state: State, scale: Scale) -> Iterator[Moment]:
    for saved in state.checkpoints:
        if not saved.name and saved.step <= scale.right:
            best = ", the best so far" if saved.best else ""
            yield Moment(scale.x(saved.step), "checkpoint", f"step {saved.step:,}: checkpoint {saved.checkpoint}{best}")
    for mark in state.marks:
        if mark.step <= scale.right:
            yield Moment(scale.x(mark.step), mark.kind, f"step {mark.step:,}: {mark.text}")


def _best(metric: Metric, curves: Iterable[Curve], state: State, scale: Scale) -> Tick | None:
    """The best value of what early stopping goes by."""
    best = state.stopping.best
    if best is None or all(curve.name != monitor(state) for curve in curves):
        return None
    value = best * metric.factor
    return Tick(scale.y(value), f"best {metric.written(value)}") if scale.low <= value <= scale.high else None


def _described(metric: Metric, curve: Curve) -> str:
    """``train: 3.120 at first, 1.044 at last, between 1.021 and 3.120, at 225 places``"""
    finite = [spot for spot in curve.spots if -LARGEST < spot.mean < LARGEST]
    if not finite:
        return f"{curve.name}: no finite value"
    first, low, high = finite[0].mean, min(spot.low for spot in finite), max(spot.high for spot in finite)
    edges = f"between {metric.written(low)} and {metric.written(high)}, at {count(len(finite), 'place')}"
    return f"{curve.name}: {metric.written(first)} at first, {_last(metric, curve.series)} at last, {edges}"
