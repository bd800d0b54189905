"""One scalar of several runs in one plot: a curve a run, in a colour and with the number of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, cast

from rich.text import Text

from core.run.folder import RunFolder
from core.view.comparing import BYS, By, Subject, placed, reaches
from core.view.series import Series
from core.view.state import State
from core.view.words import format_duration
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.chart import Chart
from tui_trainer.widgets.compared import ComparedPanel, Comparing, colour_of, number
from tui_trainer.widgets.curve_panel import Plotted
from tui_trainer.widgets.curves import Curve
from tui_trainer.widgets.metric import metric_of, split_of
from tui_trainer.widgets.plot_panel import PlotPanel
from tui_trainer.widgets.reduction import nearest
from tui_trainer.widgets.view import Edges, View

PARTS: dict[By, int] = {"step": 1, "epoch": 1000, "time": 1000}
"""Of a step, an epoch, a second: what is counted in, since a view counts in whole ones."""
UNITS = ((86_400.0, "days trained"), (3600.0, "hours trained"), (60.0, "minutes trained"), (1.0, "seconds trained"))
FEWEST_UNITS = 2
"""Of the largest unit that is used."""
UNTOLD = "none of these runs has told a number yet"


class ComparedPlot(PlotPanel):
    """It is looked into like any other plot, but for the marks, which belong to one run."""

    SLOT: ClassVar = "left"
    WITHOUT: ClassVar = frozenset({"mark_before", "mark_after"})

    def __init__(self, runs: Sequence[RunFolder]) -> None:
        super().__init__(runs[0], "loss")
        self._placed: dict[int, tuple[tuple[object, ...], Series]] = {}
        self._scalar = ""

    @property
    def comparing(self) -> Comparing:
        return cast(Comparing, self.screen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in self.WITHOUT and super().check_action(action, parameters)

    def reads(self, state: State, now: float) -> Plotted:
        choice, subjects = self.comparing.choice, self.comparing.subjects
        self._take(choice.scalar)
        series = tuple((number(place), self._along(place, item, choice.by)) for place, item in enumerate(subjects))
        end = round(self._reach(subjects, choice.by) * PARTS[choice.by])
        view = self.view._replace(logarithmic=self.view.logarithmic & {self.metric.name})
        unit = time_unit(view.edges(end)) if choice.by == "time" else None
        told = tuple((f"{name} {choice.scalar}", item) for name, item in series)
        return Plotted(
            told, None, view, end, "", PARTS["epoch"] if choice.by == "epoch" else 0, (), None, unit, front=choice.front
        )

    def _take(self, scalar: str) -> None:
        if scalar != self._scalar:
            self._scalar, self.metric = scalar, metric_of(scalar)
            self._tracks.clear()

    def _reach(self, subjects: Sequence[Subject], by: By) -> float:
        """Of the runs that have what is drawn, however far the others have come."""
        drawn = [item for item in subjects if self._scalar in item.state.series]
        return max(reaches(drawn or subjects, by))

    def _along(self, place: int, item: Subject, by: By) -> Series:
        """Made anew only when the run has said more."""
        series, state = item.state.series.get(self._scalar, Series()), item.state
        inputs = series, state.clock, state.steps_per_epoch, by
        known = self._placed.get(place)
        if known is None or any(old is not new for old, new in zip(known[0], inputs, strict=True)):
            known = self._placed[place] = inputs, placed(series, state, by, PARTS[by])
        return known[1]

    def _charted(self, reads: Plotted, colours: Palette) -> Chart:
        return super()._charted(reads, colours)._replace(empty=self._why_empty(), diverged_at=None)

    def _why_empty(self) -> str:
        choice = self.comparing.choice
        if not choice.scalar:
            return UNTOLD
        return f"{printable(choice.scalar)} has no place along {words(choice.by)} yet"

    def _curves(self, reads: Plotted, colours: Palette) -> Iterator[Curve]:
        """The first run on top, or the one in front."""
        places = sorted(range(len(reads.series)), key=lambda place: (place == reads.front, -place))
        for place, name in ((place, reads.series[place][0]) for place in places):
            colour = colours.faint if reads.front not in (None, place) else colour_of(place, colours)
            curve = Curve(colour, self._points[name], self.metric.factor, tag=number(place))
            if split_of(self._scalar):
                yield curve._replace(dots=True)
            elif self.metric.exact:
                yield curve
            elif reads.view.smoothing:
                yield curve._replace(points=self._tracks[name].smoothed)
            else:
                yield curve._replace(band=True)

    def title(self, reads: Plotted, colours: Palette) -> Text:
        return Text(scalar_words(self._scalar) if self._scalar else "curves")

    def subtitle(self, reads: Plotted, colours: Palette) -> Text | None:
        by, view = self.comparing.choice.by, reads.view
        if view.cursor is not None:
            return Text(f"at {place_words(view.cursor, by)}{' trained' if by == 'time' else ''}", colours.text)
        return Text("  ".join([f"by {words(by)}", *self._settings(reads)]), colours.muted)

    def _settings(self, reads: Plotted) -> Iterator[str]:
        view, by = reads.view, self.comparing.choice.by
        if not view.whole:
            left, right = view.edges(reads.end)
            yield f"{place_words(left, by)} to {place_words(right, by)}" + (", following" if view.follows else "")
        if reads.front is not None:
            yield f"{number(reads.front)} in front"
        if view.logarithmic:
            yield "log"
        if not self.metric.exact and not split_of(self._scalar):
            yield f"smoothing {view.smoothing:g}" if view.smoothing else "not smoothed"

    def value_at(self, place: int, cursor: float) -> float | None:
        """Of a run at the crosshair: its nearest point; None before its first one and after its last."""
        name = f"{number(place)} {self._scalar}"
        points, frame = self._points.get(name), self.frame
        if not points or frame is None:
            return None
        first, last = frame.column(points.steps[0]), frame.column(points.steps[-1])
        return points.means[nearest(points, cursor)] if first <= frame.column(cursor) <= last else None

    def _look(self, view: View) -> None:
        """Whoever shows values at the crosshair shows them at once too."""
        super()._look(view)
        self.show_again(self.screen.query(ComparedPanel))


def scalar_words(name: str) -> str:
    """``val loss``, safe for a terminal."""
    split = split_of(name) or ("train" if name.startswith("train.") else "")
    return f"{split} {metric_of(name).heading}".strip()


def words(by: By) -> str:
    return {"step": "steps", "epoch": "epochs", "time": "time trained (pauses left out)"}[by]


def place_words(place: float, by: By) -> str:
    """A place in parts, as it is said."""
    value = place / PARTS[by]
    if by == "step":
        return f"step {value:,.0f}"
    return f"epoch {value:.2f}" if by == "epoch" else format_duration(value)


def time_unit(edges: Edges) -> tuple[float, str]:
    seconds = edges.span / PARTS["time"]
    size, name = next(unit for unit in UNITS if seconds >= FEWEST_UNITS * unit[0] or unit is UNITS[-1])
    return size * PARTS["time"], name


def next_by(by: By) -> By:
    return BYS[(BYS.index(by) + 1) % len(BYS)]
