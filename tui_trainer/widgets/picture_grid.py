"""Pictures side by side: how many and how large, and their lines joined."""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip

from tui_trainer.theme import Palette

SIZES = ((32, 16), (16, 8))
"""Columns and rows of a picture, the largest first; taken is the first of which there is room for ENOUGH, else the last."""
ENOUGH = 6
GAP = 1


class Grid(NamedTuple):
    columns: int
    """Of pictures, as ``rows`` are; the others are cells."""
    rows: int
    width: int
    height: int

    @property
    def places(self) -> int:
        return self.columns * self.rows

    def part(self, place: int) -> Region:
        """Of the lines, where a picture is; a line below it says what it is."""
        row, column = divmod(place, self.columns)
        return Region(column * (self.width + GAP), row * (self.height + 1), self.width, self.height)


def grid_of(size: Size) -> Grid:
    grids = [
        Grid(max(1, (size.width + GAP) // (width + GAP)), max(1, size.height // (height + 1)), width, height)
        for width, height in SIZES
    ]
    return next((grid for grid in grids if grid.places >= ENOUGH), grids[-1])


def joined(found: list[list[Strip] | None], grid: Grid, width: int, colours: Palette) -> list[Strip]:
    """Pictures side by side; those that are not drawn yet are left blank."""
    ground, plain = Style.parse(f"on {colours.ground}"), Style.parse(f"{colours.text} on {colours.ground}")
    blank = [Strip([Segment(" " * grid.width, Style.parse(f"on {colours.track}"))], grid.width)] * grid.height
    gap = Strip([Segment(" " * GAP, ground)], GAP)
    columns = [picture or blank for picture in found]
    rows = (Strip.join(strip for column in columns for strip in (column[row], gap)) for row in range(grid.height))
    return [
        (row if all(segment.style for segment in row) else row.apply_style(plain)).adjust_cell_length(width, ground)
        for row in rows
    ]
