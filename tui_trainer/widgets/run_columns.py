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
from tui_trainer.run_facts import Order
from tui_trainer.theme import Palette
from tui_trainer.widgets import run_badge
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.glyphs import ASCII, bar, glyphs

BLOCKS = "▁▂▃▄▅▆▇█"
CURVE = 16
BAR = 12
NARROWEST_NAME = 8
UNORDERED = Order()


@dataclass(frozen=True)
class Row:
    """What a cell is made from."""

    listed: ListedRun
    now: float
    colours: Palette
    marked: bool | None = None
    """None while no run at all is marked."""

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

    def label(self, order: Order = UNORDERED) -> Text:
        return self._fitted(Text(f"{self.column.title}{self._sign(order)}"))

    def _sign(self, order: Order) -> str:
        signs = "v^" if glyphs() is ASCII else "▼▲"
        return signs[order.turned] if order.by == self.column.title else ""

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
    """With its tags after it, as far as there is room."""
    sign = "" if row.marked is None else f"{glyphs().saved} " if row.marked else "  "
    return Text.assemble(
        (sign, row.colours.held_out),
        (printable(row.listed.run.name), "bold"),
        (tag_words(row.listed.tags), row.colours.muted),
    )


def tag_words(tags: Sequence[str]) -> str:
    return "".join(f" #{printable(tag)}" for tag in tags)


def _recipe(row: Row) -> Text:
    return Text(printable(row.state.recipe or row.state.program), style=row.colours.muted)


def _status(row: Row) -> Text:
    if row.listed.state is None:
        return Text("reading ...", style=row.colours.faint)
    badge = run_badge.run_badge(row.state.status, row.colours)
    return badge.append(f" {row.listed.queued.position}") if row.listed.queued else badge


def _epoch(row: Row) -> Text:
    state = row.state
    words = f"{state.epoch}/{state.epochs}" if state.epochs else f"{state.epoch}" if state.epoch else ""
    return Text(words, style=row.colours.text)


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


def _left(row: Row) -> Text:
    left = readings.eta(row.state, row.now) if row.listed.alive else None
    return Text("" if left is None else brief(left), style=row.colours.good)


def _length(row: Row) -> Text:
    return Text(brief(row.state.trained_seconds) if row.state.trained_seconds else "", style=row.colours.text)


def _size(row: Row) -> Text:
    return Text("" if row.listed.size is None else readings.format_bytes(row.listed.size), style=row.colours.muted)


def _active(row: Row) -> Text:
    return Text(ago(row.now - row.listed.active), style=row.colours.muted)


COLUMNS: tuple[Column, ...] = (
    Column("name", 0, _name),
    Column("recipe", 10, _recipe, least=72),
    Column("state", run_badge.WIDTH, _status),
    Column("progress", BAR, _progress, least=160),
    Column("epoch", 7, _epoch, right=True),
    Column("left", 6, _left, least=92, right=True),
    Column("curve", CURVE, _curve, least=110),
    Column("best", 10, _best, least=72, right=True),
    Column("val", 5, _accuracy("val"), right=True),
    Column("test", 5, _accuracy("test"), right=True),
    Column("length", 7, _length, least=130, right=True),
    Column("size", 8, _size, least=124, right=True),
    Column("active", 7, _active, right=True),
)


def percent(share: float) -> str:
    """A share between 0 and 1 in at most five cells."""
    if not math.isfinite(share):
        return str(share)
    text = f"{100 * share:.1f}%"
    return text if len(text) <= 5 else f"{100 * share:.0f}%"


def brief(seconds: float) -> str:
    """How long in at most six cells: ``45s``, ``12m``, ``2h07m``, ``3d04h``."""
    if not math.isfinite(seconds):
        return "-"
    minutes = round(max(seconds, 0.0)) // 60
    if minutes < 60:
        return f"{minutes}m" if minutes else f"{max(seconds, 0.0):.0f}s"
    if minutes < 1440:
        return f"{minutes // 60}h{minutes % 60:02d}m"
    days = minutes // 1440
    return f"{days}d{minutes // 60 % 24:02d}h" if days < 100 else f"{days}d" if days < 100_000 else "long"


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
