"""The columns of the list of runs: what each shows, how wide it is, and from which width of the list on it is there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text

from core.view import readings
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.listing import ListedRun
from tui_trainer.theme import Palette
from tui_trainer.widgets import run_badge
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.glyphs import ASCII, bar, glyphs

BLOCKS = "▁▂▃▄▅▆▇█"
CURVE = 16
BAR = 12
NARROWEST_NAME = 8


@dataclass(frozen=True)
class Row:
    """What a cell is made from."""

    listed: ListedRun
    now: float
    colours: Palette

    @property
    def state(self) -> State:
        """An empty one while the journal has not been read yet."""
        return self.listed.state or State()


@dataclass(frozen=True)
class Column:
    title: str
    width: int
    """In cells; 0 takes what the others leave."""
    cell: Callable[[Row], Text]
    least: int = 0
    """Narrowest list that has room for it."""
    right: bool = False


@dataclass(frozen=True)
class Placed:
    """A column as it stands in a list of a certain width; ``gap`` blanks follow it."""

    column: Column
    width: int
    gap: int

    def label(self) -> Text:
        return self._fitted(Text(self.column.title))

    def cell(self, row: Row) -> Text:
        return self._fitted(self.column.cell(row))

    def _fitted(self, text: Text) -> Text:
        text.truncate(self.width, overflow="ellipsis")
        if self.column.right:
            text.align("right", self.width)
        return text


def placed(width: int) -> list[Placed]:
    """The columns of a list ``width`` cells wide."""
    gap = 2 if width >= 96 else 1
    shown = [column for column in COLUMNS if column.least <= width]
    taken = sum(column.width for column in shown) + gap * (len(shown) - 1)
    spare = max(NARROWEST_NAME, width - taken)
    return [Placed(column, column.width or spare, 0 if column is shown[-1] else gap) for column in shown]


def _name(row: Row) -> Text:
    return Text(printable(row.listed.run.name), style="bold")


def _recipe(row: Row) -> Text:
    return Text(printable(row.state.recipe), style=row.colours.muted)


def _status(row: Row) -> Text:
    if row.listed.state is None:
        return Text("reading ...", style=row.colours.faint)
    return run_badge.run_badge(row.state.status, row.colours)


def _epoch(row: Row) -> Text:
    state = row.state
    return Text(f"{state.epoch}/{state.epochs}" if state.epochs else "", style=row.colours.text)


def _progress(row: Row) -> Text:
    if not row.state.total_steps:
        return Text("")
    filled, track = bar(readings.run_fraction(row.state), BAR, glyphs())
    return Text.assemble((filled, row.colours.bar), (track, row.colours.track))


def _best(row: Row) -> Text:
    best, metric = row.state.stopping.best, row.state.monitor
    if best is None or not math.isfinite(best):
        return Text("")
    split, _, quantity = metric.partition(".")
    value = percent(best) if quantity == "accuracy" else short(best)
    on_test = split == "test"
    return Text.assemble(
        ("TEST " if on_test else f"{printable(split)} ", row.colours.warn if on_test else row.colours.muted),
        (value, row.colours.text),
    )


def _accuracy(split: str) -> Callable[[Row], Text]:
    def cell(row: Row) -> Text:
        value = row.state.metrics.get(f"{split}.accuracy")
        return Text("" if value is None else percent(value), style=row.colours.text)

    return cell


def _curve(row: Row) -> Text:
    series = row.state.series.get(row.state.monitor)
    means = [point.mean for point in series.points()] if series and glyphs() is not ASCII else []
    return Text(curve(means, CURVE), style=row.colours.held_out)


def _active(row: Row) -> Text:
    return Text(ago(row.now - row.listed.active), style=row.colours.muted)


COLUMNS: tuple[Column, ...] = (
    Column("name", 0, _name),
    Column("recipe", 10, _recipe, least=72),
    Column("state", run_badge.WIDTH, _status),
    Column("progress", BAR, _progress, least=130),
    Column("epoch", 7, _epoch, right=True),
    Column("curve", CURVE, _curve, least=110),
    Column("best", 10, _best, least=72, right=True),
    Column("val", 5, _accuracy("val"), right=True),
    Column("test", 5, _accuracy("test"), right=True),
    Column("active", 7, _active, right=True),
)


def percent(share: float) -> str:
    """A share between 0 and 1 in at most five cells."""
    if not math.isfinite(share):
        return str(share)
    text = f"{100 * share:.1f}%"
    return text if len(text) <= 5 else f"{100 * share:.0f}%"


def ago(seconds: float) -> str:
    """How long ago in at most seven cells, for instance ``12s ago``."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit} ago" if seconds < 999.5 * length else "long"
    return f"{seconds:.0f}s ago" if seconds >= 5 else "now"


def curve(values: Sequence[float], width: int) -> str:
    """Values as a line of blocks at most ``width`` long, lowest to highest; each block is the last value of its stretch."""
    finite = [value for value in values if math.isfinite(value)]
    count = min(width, len(finite))
    shown = [finite[len(finite) * (place + 1) // count - 1] for place in range(count)]
    low = min(shown, default=0.0)
    span = max(shown, default=0.0) - low
    if not math.isfinite(span):
        return ""
    return "".join(BLOCKS[round((value - low) / span * (len(BLOCKS) - 1)) if span else 0] for value in shown)
