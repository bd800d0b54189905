"""Pictures in the terminal, each beside what it is taken for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, Group
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from core.view.pictures import Picture
from core.view.words import format_metric
from tui_trainer.escape import printable
from tui_trainer.widgets.glyphs import ASCII, bar, glyphs
from tui_trainer.widgets.half_blocks import drawn

if TYPE_CHECKING:
    from core.predicted import Seen

COLUMNS, ROWS = 16, 8
"""Of a picture, whose pixels are half a cell high."""
GAP = 2
BAR = 20
"""Columns of a probability of 1."""
WIDEST = 30
"""Columns of a class's name."""
PALETTES = {"256", "truecolor"}


class Pictured:
    """Prints one after the other; ``classes`` are all that there are, so that those of all pictures are aligned."""

    def __init__(self, classes: Sequence[str], console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, markup=False)
        self._few_colours = self._console.color_system not in PALETTES or glyphs() is ASCII
        self._width = min(WIDEST, max(map(cell_len, map(self._shown, classes))))

    def __call__(self, seen: Seen) -> None:
        grid = Table.grid(padding=(0, GAP, 0, 0))
        grid.add_column(width=COLUMNS, no_wrap=True)
        grid.add_column(no_wrap=True)
        words = list(self._words(seen))
        for line in words:  # else the table would take the room from the picture
            line.truncate(max(1, self._console.width - COLUMNS - GAP), overflow="ellipsis")
        grid.add_row(self._picture(seen), Group(*words))
        self._console.print(grid, Text(""))

    def _picture(self, seen: Seen) -> Segments:
        assert seen.pixels is not None
        channels, height, width = seen.pixels.shape
        picture = Picture(seen.pixels.tobytes(), channels, height, width, 0, 0, 0, 0.0)
        strips = drawn(picture, COLUMNS, ROWS, self._few_colours)
        return Segments([segment for strip in strips for segment in (*strip, Segment.line())])

    def _words(self, seen: Seen) -> Iterator[Text]:
        from core.predicted import Prediction

        assert isinstance(seen.said, Prediction)
        yield from (Text(self._shown(seen.said.path), "bold"), Text(""))
        for name, share in seen.said.top.items():
            line = Text(self._shown(name))
            line.truncate(self._width, overflow="ellipsis", pad=True)
            filled, track = bar(share, BAR, glyphs())
            shown = f"{format_metric('accuracy', share):>8}"
            yield Text.assemble(shown, "  ", line, "  ", filled, (track, "dim"))

    def _shown(self, text: str) -> str:
        """With a stand-in for what the terminal's encoding lacks."""
        return printable(text).encode(self._console.encoding, "backslashreplace").decode(self._console.encoding)
