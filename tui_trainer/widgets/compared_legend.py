"""Below the plot of compared runs: which curve is whose, its latest and its best value, and that at the crosshair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size

from core.view.comparing import Subject, best_is_low, extreme
from core.view.comparing.along import knots
from core.view.series import Series
from core.view.state import State, Status
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets import run_badge
from tui_trainer.widgets.compared import ComparedPanel, named, plain
from tui_trainer.widgets.compared_plot import PARTS, ComparedPlot, place_words, scalar_words
from tui_trainer.widgets.glyphs import cut
from tui_trainer.widgets.metric import metric_of

VALUE, WHERE, GAP = 9, 16, 2
BADGE = run_badge.WIDTH + GAP
ONE_COLUMN = 4
"""So many runs stand one below the other on a low terminal; more of them side by side."""
ROOMY = 100
"""Columns from which there is room for every run's own line."""
WITH_WHERE = 70
"""The same for the place of the best value."""
NOTHING = "-"


class Entry(NamedTuple):
    """Of a run; in words."""

    name: str
    status: Status
    value: str
    best: str
    where: str
    is_best: bool
    note: str


class Legend(NamedTuple):
    entries: tuple[Entry, ...]
    head: str
    """Of the values."""
    has_best: bool


class ComparedLegend(ComparedPanel[Legend]):
    NAME = "runs"
    PERIOD = 0.25

    @property
    def plot(self) -> ComparedPlot:
        return self.screen.query_one(ComparedPlot)

    def lines(self, width: int) -> int:
        """That it takes, without a border."""
        return 1 + (len(self.runs) if _one_column(len(self.runs), width) else -(-len(self.runs) // 2))

    def reads(self, state: State, now: float) -> Legend:
        choice, cursor = self.comparing.choice, self.plot.view.cursor
        low = best_is_low(choice.scalar)
        bests = [_best(item, choice.scalar) for item in self.comparing.subjects]
        pick = min if low else max
        top = pick((found[0] for found in bests if found), default=None)
        entries = tuple(
            self._entry(place, item, bests[place], top, cursor) for place, item in enumerate(self.comparing.subjects)
        )
        head = "last" if cursor is None else "there"
        return Legend(entries, head, low is not None)

    def _entry(self, place: int, item: Subject, best: tuple[float, int] | None, top: float | None, cursor: int | None) -> Entry:
        choice, series = self.comparing.choice, item.state.series.get(self.comparing.choice.scalar)
        shown = metric_of(choice.scalar)
        value = series.last if series and cursor is None else None if cursor is None else self.plot.value_at(place, cursor)
        where, along = "", knots(item.state, choice.by)
        if best and along:
            where = place_words(along.place(best[1]) * PARTS[choice.by], choice.by)

        def written(number: float | None) -> str:
            return NOTHING if number is None else shown.written(number * shown.factor)

        is_best = best is not None and best[0] == top and len(self.runs) > 1
        return Entry(
            item.name, item.state.status, written(value), written(best[0] if best else None), where, is_best,
            _note(item.state, series, choice.scalar),
        )  # fmt: skip

    def draw(self, reads: Legend, size: Size, colours: Palette) -> Sequence[Text]:
        if _one_column(len(reads.entries), size.width):
            lines = (_line(reads, place, size.width, colours) for place in range(len(reads.entries)))
            return [_head(reads, size.width, colours), *lines]
        return _in_two(reads, size.width, colours)


def _one_column(runs: int, width: int) -> bool:
    return runs <= ONE_COLUMN or width >= ROOMY


def _best(item: Subject, scalar: str) -> tuple[float, int] | None:
    low, series = best_is_low(scalar), item.state.series.get(scalar)
    return extreme(series, low) if series is not None and low is not None else None


def _note(state: State, series: Series | None, scalar: str) -> str:
    if state.seq < 0:
        return "has said nothing yet"
    if series is None and not state.ended:
        return f"no {scalar_words(scalar)} yet"
    if series is None:
        why = ": holds nothing out" if scalar.startswith("val.") and state.unwatched else ""
        return f"has no {scalar_words(scalar)}{why}"
    return "" if series.diverged_at is None else f"diverged at step {series.diverged_at:,}"


def _name_width(reads: Legend, width: int) -> int:
    """As wide as the longest, or what the other columns leave."""
    longest = max(cell_len(printable(entry.name)) for entry in reads.entries) + GAP
    where = WHERE if reads.has_best and width >= WITH_WHERE else 0
    return max(min(longest, width - BADGE - GAP - 2 * VALUE - where), 8)


def _head(reads: Legend, width: int, colours: Palette) -> Text:
    titles = reads.head.rjust(VALUE - GAP) + " " * GAP + ("best".rjust(VALUE - GAP) if reads.has_best else "")
    return plain(" " * (_name_width(reads, width) + GAP + BADGE) + titles, colours.muted, width)


def _line(reads: Legend, place: int, width: int, colours: Palette) -> Text:
    entry = reads.entries[place]
    line = named(place, entry.name, _name_width(reads, width), colours)
    badge = run_badge.run_badge(entry.status, colours)
    line.append(" " * GAP).append_text(cut(badge, BADGE, pad=True))
    if entry.note and entry.value == NOTHING:
        return cut(line.append(entry.note, colours.muted), width)
    line.append(entry.value.rjust(VALUE - GAP), colours.text).append(" " * GAP)
    if reads.has_best:
        line.append(entry.best.rjust(VALUE - GAP), _best_style(entry, colours)).append("*" if entry.is_best else " ")
        line.append(f" {entry.where}" if width >= WITH_WHERE else "", colours.muted)
    return cut(line.append(f"  {entry.note}" if entry.note else "", colours.bad), width)


def _best_style(entry: Entry, colours: Palette) -> str:
    return f"bold {colours.good}" if entry.is_best else colours.text


def _in_two(reads: Legend, width: int, colours: Palette) -> list[Text]:
    each, rows = (width - GAP) // 2, -(-len(reads.entries) // 2)
    cells = [_cell(reads, place, each, colours) for place in range(len(reads.entries))]
    titles = reads.head.rjust(VALUE - 1) + ("best".rjust(VALUE - 1) if reads.has_best else "")
    head = cut(Text(" " * (each - 2 * VALUE) + titles, colours.muted), each, pad=True)
    return [Text.assemble(head, " " * GAP, head), *(Text(" " * GAP).join(cells[row::rows]) for row in range(rows))]


def _cell(reads: Legend, place: int, width: int, colours: Palette) -> Text:
    entry = reads.entries[place]
    line = named(place, entry.name, width - 2 * VALUE, colours)
    line.append(entry.value.rjust(VALUE - 1), colours.text)
    if reads.has_best:
        line.append(entry.best.rjust(VALUE - 1), _best_style(entry, colours)).append("*" if entry.is_best else " ")
    return cut(line, width, pad=True)
