"""The keys in which the recipes of compared runs differ: a column a run, or below one another where there is no room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.view.comparing import Difference, Differences, differences
from core.view.state import State
from core.view.words import count
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.compared import ComparedPanel, colour_of, number, plain
from tui_trainer.widgets.compared_grid import heads, key
from tui_trainer.widgets.glyphs import cut
from tui_trainer.widgets.wrapping import wrap

NARROWEST = 14
"""Cells of a run's column; with less, runs of the same value are named on a line of that value."""
WIDEST_KEY = 32
GAP = 2
UNSET = "-"
UNREAD = "cannot be read"


class Table(NamedTuple):
    names: tuple[str, ...]
    found: Differences


class ComparedRecipes(ComparedPanel[Table]):
    NAME = "recipes"
    PERIOD = 0.5

    def reads(self, state: State, now: float) -> Table:
        subjects = self.comparing.subjects
        return Table(tuple(item.name for item in subjects), differences(subjects))

    def draw(self, reads: Table, size: Size, colours: Palette) -> Sequence[Text]:
        keys = min(max((len(printable(row.key)) for row in reads.found.rows), default=0), WIDEST_KEY)
        cell = (size.width - keys) // len(reads.names) - GAP
        if cell >= NARROWEST:
            lines = list(_table(reads, keys, min(cell, 48), colours))
        else:
            lines = [*key(reads.names, size.width, colours), Text(), *_grouped(reads, size.width, colours)]
        return [*lines, Text(), *(plain(note, colours.muted, size.width) for note in notes(reads.found))]

    def title(self, reads: Table, colours: Palette) -> Text:
        return Text(f"{self.NAME}  {count(len(reads.found.rows), 'difference')}")


def notes(found: Differences) -> Iterator[str]:
    same = f"same in all: {count(found.same, 'key')}"
    yield same if found.rows else f"no differences; {same}"
    for place in found.unread:
        yield f"{number(place)}: its recipe {UNREAD}"


def _table(reads: Table, keys: int, cell: int, colours: Palette) -> Iterator[Text]:
    head = Text(" " * keys)
    for found in heads(reads.names, cell, colours):
        head.append(" " * GAP).append_text(cut(found, cell, pad=True))
    yield head
    for row in reads.found.rows:
        yield from _row(row, reads.found.unread, keys, cell, colours)


def _row(row: Difference, unread: Sequence[int], keys: int, cell: int, colours: Palette) -> Iterator[Text]:
    """As many lines as its longest value takes."""
    names = wrap(printable(row.key), keys)
    cells = [wrap("?" if place in unread else _words(value), cell) for place, value in enumerate(row.values)]
    usual = _usual(row)
    for name, *parts in zip_longest(names, *cells, fillvalue=""):
        line = cut(Text(name, colours.muted), keys, pad=True)
        for value, part in zip(row.values, parts, strict=True):
            style = colours.muted if value == usual else f"bold {colours.text}"
            line.append(" " * GAP).append_text(cut(Text(part, style), cell, pad=True))
        yield line


def _usual(row: Difference) -> str | None:
    """The value of more than half of the runs, from which the others stand out; a text that no value is where there is none."""
    usual = max(row.values, key=row.values.count)
    return usual if 2 * row.values.count(usual) > len(row.values) else "\0"


def _words(value: str | None) -> str:
    return UNSET if value is None else printable(value) or UNSET


def _grouped(reads: Table, width: int, colours: Palette) -> Iterator[Text]:
    for row in reads.found.rows:
        yield plain(printable(row.key), f"bold {colours.text}", width)
        read = [place for place in range(len(row.values)) if place not in reads.found.unread]
        for value in dict.fromkeys(row.values[place] for place in read):
            line = Text("  ")
            for place in (place for place in read if row.values[place] == value):
                line.append(f"{number(place)} ", f"bold {colour_of(place, colours)}")
            yield from _group(value, cut(line, 2 * len(read) + 2, pad=True), width, colours)


def _group(value: str | None, whose: Text, width: int, colours: Palette) -> Iterator[Text]:
    """The runs that have a value, and it."""
    indent = whose.cell_len
    first, *others = wrap(_words(value), max(width - indent, 10)) or [UNSET]
    yield whose.append(first, colours.text)
    for part in others:
        yield Text(" " * indent).append(part, colours.text)
