"""Panels that are line charts: one metric over the steps, in training and on the splits that are measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar, NamedTuple, Protocol, cast

from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip
from textual.worker import get_current_worker

from core.run.folder import RunFolder
from core.view.points import Points, Track
from core.view.readings import monitor
from core.view.series import Series
from core.view.state import State
from core.view.window import Stretch
from core.view.window import points as detailed
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.chart import Canvas, Chart, Level, canvas
from tui_trainer.widgets.curves import Curve
from tui_trainer.widgets.flags import Flag
from tui_trainer.widgets.framed import framed
from tui_trainer.widgets.glyphs import glyphs
from tui_trainer.widgets.lens import Lens, last_step
from tui_trainer.widgets.metric import Metric, metric, split_of, told
from tui_trainer.widgets.panel import Panel, Slot
from tui_trainer.widgets.reduction import Frame, nearest
from tui_trainer.widgets.rows import Row
from tui_trainer.widgets.view import Edges, View


class Plotted(NamedTuple):
    """What such a panel reads."""

    series: tuple[tuple[str, Series], ...]
    """By full name, that of training first."""
    stretch: Stretch | None
    view: View
    end: int
    split: str
    """Empty where none is measured before the end."""
    steps_per_epoch: int
    flags: tuple[Flag, ...]
    best: float | None
    unit: tuple[float, str] | None = None
    """As in a chart."""
    empty: str = "waiting for the first steps"
    """What is said where there are no points."""
    front: int | None = None
    """Place of the series before which the others are faint."""


class Screenful(Protocol):
    """Of the screen, what a plot needs."""

    lens: Lens
    state: State

    def wake(self) -> None:
        """Look for what is being read."""


class CurvePanel(Panel[Plotted]):
    """The raw values dim, as a band from the least to the greatest, and smoothed over it. What is smoothed is the whole run,
    of which a closer view shows a part. ``METRIC`` is a name without its split."""

    NAME = ""
    SLOT: ClassVar[Slot] = "curves"
    PERIOD = 0.25
    COLOURED = True
    METRIC: ClassVar[str] = ""

    def __init__(self, run: RunFolder, name: str = "") -> None:
        super().__init__(run)
        self.metric: Metric = metric(name or self.METRIC)
        self.border_title = Text(self.metric.heading)  # as it is: what a run calls it may look like markup
        self._tracks: dict[str, Track] = {}
        """By a scalar's full name."""
        self._points: dict[str, Points] = {}
        """The same in the present view."""
        self._chart, self._canvas = Chart(()), cast(Canvas | str, "")
        self._drawn_of: tuple[object, ...] = ()
        self._rows: list[Row] = []
        self._coloured: Palette | None = None
        self._framed: list[Strip] = []
        self._framed_of: tuple[object, ...] = ()

    @property
    def heading(self) -> str:
        return self.metric.heading

    @property
    def lens(self) -> Lens:
        return cast(Screenful, self.screen).lens

    def show_again(self, panels: Iterable[Panel[Any]]) -> None:
        """Those that can be seen; the others are shown when they are."""
        for panel in panels:
            if panel.is_on_screen:
                panel.look_again(cast(Screenful, self.screen).state)

    @property
    def view(self) -> View:
        return self.lens.view

    @property
    def frame(self) -> Frame | None:
        """As last drawn; None where there was nothing to draw."""
        return self._canvas.frame if isinstance(self._canvas, Canvas) else None

    def steps(self) -> list[int]:
        """At which there are points, in order."""
        return sorted({int(step) for points in self._points.values() for step in points.steps})

    def reads(self, state: State, now: float) -> Plotted:
        self.metric = told(self.METRIC, state) if self.METRIC else self.metric
        series = tuple((name, state.series.get(name, Series())) for name in self.metric.names(state))
        view = self.view._replace(logarithmic=self.view.logarithmic & {self.metric.name})
        best = state.stopping.best if monitor(state) in dict(series) else None
        split = "" if state.unwatched else state.split
        stretch, end = None if view.whole else self.lens.stretch, last_step(state)
        plotted = Plotted(series, stretch, view, end, split, state.steps_per_epoch, self.lens.flags(state), best)
        return plotted._replace(empty="not logged by its program") if state.program and state.windows else plotted

    def tells_nothing(self, state: State) -> bool:
        """Whether it stays empty though the run tells of something."""
        names = told(self.METRIC, state).names(state)
        return bool(state.series) and not any(name in state.series for name in names)

    def show(self, state: State, now: float) -> None:
        if edges := self.lens.missing(state):
            cast(Screenful, self.screen).wake()
            self.screen.run_worker(partial(self._read, edges), thread=True, exclusive=True, group="stretch")
        super().show(state, now)

    def _read(self, edges: Edges) -> None:
        worker = get_current_worker()
        self.lens.read(edges, lambda: not worker.is_cancelled)

    def draw(self, reads: Plotted, size: Size, colours: Palette) -> Sequence[Strip]:
        """The curves are drawn anew only when they, the view, the size or the colours have changed, not for the crosshair."""
        marks, inputs = glyphs(), (reads._replace(view=reads.view._replace(cursor=None)), size, colours)
        if inputs != self._drawn_of:
            self._points = {name: self._found(name, series, reads) for name, series in reads.series}
            self._chart, self._drawn_of = self._charted(reads, colours), inputs
            marker = marks.markers[reads.view.marker % len(marks.markers)]
            self._canvas = canvas(self._chart, size.width, size.height, marks, marker, before=self._canvas)
        around = (self._canvas, self._chart._replace(curves=()), size, colours, reads.view.cursor)
        if around != self._framed_of:
            rows = framed(self._chart, self._canvas, size.width, size.height, colours, marks, reads.view.cursor)
            self._framed, self._framed_of = self._as_strips(rows, colours), around
        return self._framed

    def _as_strips(self, rows: list[Row], colours: Palette) -> list[Strip]:
        """Those that are as they were, most of a long run's, are taken over."""
        known = colours == self._coloured
        before = zip_longest(rows, self._rows[: len(rows)], self._framed[: len(rows)])
        self._rows, self._coloured = rows, colours
        return [
            strip if known and strip and row == old else row.strip(colours.text, colours.ground) for row, old, strip in before
        ]

    def _found(self, name: str, series: Series, reads: Plotted) -> Points:
        track = self._tracks.setdefault(name, Track())
        track.follow(series, reads.view.smoothing)
        return track.points if reads.view.whole else detailed(series, name, reads.stretch)

    def _charted(self, reads: Plotted, colours: Palette) -> Chart:
        edges, diverged = reads.view.edges(reads.end), [series.diverged_at for _, series in reads.series]
        level = None
        if reads.best is not None:
            best = reads.best * self.metric.factor
            level = Level(best, f"best {self.metric.written(best)}", colours.held_out, colours.held_out_faint)
        return Chart(
            tuple(self._curves(reads, colours)), edges.left, edges.right, bool(reads.view.logarithmic), reads.steps_per_epoch,
            min((at for at in diverged if at is not None), default=None), reads.flags, level, unit=reads.unit,
            empty=reads.empty,
        )  # fmt: skip

    def _curves(self, reads: Plotted, colours: Palette) -> Iterator[Curve]:
        factor = self.metric.factor
        for name, _ in reads.series:
            points, colour = self._points[name], self._colour(name, reads, colours)
            if split_of(name):
                yield Curve(colour, points, factor, dots=True)
            elif self.metric.exact or not reads.view.smoothing:
                yield Curve(colour, points, factor, band=not self.metric.exact)
            else:
                yield Curve(colours.train_raw, points, factor, band=True)
                yield Curve(colour, self._tracks[name].smoothed, factor)

    def _colour(self, name: str, reads: Plotted, colours: Palette) -> str:
        if split := split_of(name):
            return colours.warn if split == "test" != reads.split else colours.held_out
        return colours.rate if self.metric.exact else colours.train

    def title(self, reads: Plotted, colours: Palette) -> Text:
        title = Text(self.metric.heading)
        for name, series in reads.series:
            split = split_of(name) or "train"
            label = "TEST " if split == reads.split == "test" else f"{split} "
            words = ("" if len(reads.series) == 1 and not self.metric.compared else label) + self._value(name, series, reads)
            title.append(f"  {words}", self._colour(name, reads, colours))
        return title

    def _value(self, name: str, series: Series, reads: Plotted) -> str:
        """The latest, or that which is nearest to the crosshair."""
        cursor, points, value = reads.view.cursor, self._points.get(name), series.last
        if cursor is not None and points:
            value = points.means[nearest(points, cursor)]
        return self.metric.written(None if value is None else value * self.metric.factor)

    def values(self) -> Iterator[tuple[str, str]]:
        """As the title has them: the latest, or those at the crosshair."""
        for name, series in self._reads.series if self._reads else ():
            yield printable(name), self._value(name, series, cast(Plotted, self._reads))

    def subtitle(self, reads: Plotted, colours: Palette) -> Text | None:
        """Where the crosshair stands and the marks there, else what is not as usual in this view."""
        view = reads.view
        if view.cursor is None:
            settings = "  ".join(self._settings(reads))
            return Text(settings, colours.muted) if settings else None
        words = Text(f"step {view.cursor:,}", colours.text)
        if reads.steps_per_epoch:
            words.append(f"  epoch {view.cursor / reads.steps_per_epoch:.2f}", colours.muted)
        for flag in reversed(self._flags_at_cursor(reads)):
            words.append(f"  {flag.kind.glyph(glyphs())} {flag.words}", flag.colour(colours))
        return words

    def _settings(self, reads: Plotted) -> Iterator[str]:
        view = reads.view
        if not view.whole:
            left, right = view.edges(reads.end)
            yield f"steps {left:,.0f} to {right:,.0f}" + (", following" if view.follows else "")
        if view.logarithmic:
            yield "log"
        if view.smoothing != View().smoothing and not self.metric.exact:
            yield f"smoothing {view.smoothing:g}" if view.smoothing else "not smoothed"

    def _flags_at_cursor(self, reads: Plotted) -> list[Flag]:
        frame, cursor = self.frame, reads.view.cursor
        if frame is None or cursor is None:
            return []
        return [flag for flag in reads.flags if frame.column(flag.step) == frame.column(cursor)]
