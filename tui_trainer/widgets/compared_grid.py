"""Tables of compared runs: a grid of cells that are as wide as their column, with a column a run, or turned round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.compared import colour_of, named, number, shortened
from tui_trainer.widgets.glyphs import cut

GAP = 2
NARROWEST = 8
"""Cells of the first column."""


class Grid(NamedTuple):
    """``rows`` of as many cells as there are ``heads``; the first of each row are words, set to the left."""

    heads: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    words: int = 1
    """Columns of words."""

    def turned(self) -> Grid:
        columns = tuple(zip(self.heads, *self.rows, strict=True))
        return Grid(columns[0], columns[1:])

    def widths(self) -> list[int]:
        return [max(cell.cell_len for cell in column) for column in zip(self.heads, *self.rows, strict=True)]

    def width(self, gap: int) -> int:
        return sum(self.widths()) + gap * (len(self.heads) - 1)


def laid_out(grid: Grid, width: int) -> list[Text]:
    """Numbers to the right; what the first column has too much is cut."""
    widths, gap = grid.widths(), GAP
    if grid.width(gap) > width:
        gap = 1
    spare = width - sum(widths[1:]) - gap * (len(widths) - 1)
    widths[0] = min(widths[0], max(spare, NARROWEST))
    return [cut(_row(row, widths, gap, grid.words), width) for row in (grid.heads, *grid.rows)]


def _row(cells: Sequence[Text], widths: Sequence[int], gap: int, words: int) -> Text:
    line = Text()
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        shown = cut(cell.copy(), width)
        blanks = " " * (width - shown.cell_len)
        line.append(" " * gap if place else "")
        line.append_text(shown).append(blanks) if place < words else line.append(blanks).append_text(shown)
    return line


def heads(names: Sequence[str], width: int, colours: Palette) -> list[Text]:
    """Of columns so wide."""
    return [head(place, name, width, colours) for place, name in enumerate(names)]


def head(place: int, name: str, width: int, colours: Palette) -> Text:
    """Number and name, or only the number where no name would be known again."""
    if width < 9:
        return Text(number(place), f"bold {colour_of(place, colours)}")
    return Text.assemble(
        (f"{number(place)} ", f"bold {colour_of(place, colours)}"), (shortened(name, width - 2), colour_of(place, colours))
    )


def key(names: Sequence[str], width: int, colours: Palette) -> list[Text]:
    """Which number is which run, as many side by side as there is room for."""
    each = min(max(cell_len(printable(name)) for name in names) + 2, max(width // 2 - GAP, 20))
    beside = max((width + GAP) // (each + GAP), 1)
    cells = [named(place, name, each, colours) for place, name in enumerate(names)]
    return [Text(" " * GAP).join(cells[start : start + beside]) for start in range(0, len(cells), beside)]
