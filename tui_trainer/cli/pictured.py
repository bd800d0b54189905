"""Pictures in the terminal, each beside what it is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from core.view.pictures import Picture
from core.view.words import format_metric
from tui_trainer.escape import printable
from tui_trainer.widgets.half_blocks import drawn

if TYPE_CHECKING:
    from core.predicted import Seen

COLUMNS, ROWS = 16, 8
"""Of a picture, whose pixels are half a cell high."""
BAR = 20
"""Columns of a probability of 1."""
PALETTES = {"256", "truecolor"}


class Pictured:
    """Prints one after the other."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False)
        self._few_colours = self._console.color_system not in PALETTES

    def __call__(self, seen: Seen) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=COLUMNS, no_wrap=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(self._picture(seen), Group(*self._words(seen)))
        self._console.print(grid, Text(""))

    def _picture(self, seen: Seen) -> Segments:
        assert seen.pixels is not None
        channels, height, width = seen.pixels.shape
        picture = Picture(seen.pixels.tobytes(), channels, height, width, 0, 0, 0, 0.0)
        strips = drawn(picture, COLUMNS, ROWS, self._few_colours)
        return Segments([segment for strip in strips for segment in (*strip, Segment.line())])

    def _words(self, seen: Seen) -> list[Text]:
        from core.predicted import Prediction

        assert isinstance(seen.said, Prediction)
        lines = [Text(printable(seen.said.path), "bold"), Text("")]
        width = max(len(printable(name)) for name in seen.said.top)
        for name, share in seen.said.top.items():
            bar = "█" * round(share * BAR)
            lines.append(Text(f"{format_metric('accuracy', share):>8}  {printable(name):<{width}}  {bar}"))
        return lines
