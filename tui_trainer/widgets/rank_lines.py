"""Several processes that train one run, a line each: how fast each is by itself, and the memory that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from core.view.ranks import Rank, speed, straggler
from core.view.readings import format_bytes
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import bar, cut, glyphs

GAP = " " * 2
FEWEST, MOST = 6, 40
"""Cells of a bar, or of a host's name, that are worth having, and of a bar that suffice."""

WORDS = ((" images/s", "gpu "), ("/s", "gpu "), ("/s", ""))
"""What tells figures apart, the fewer the less room there is."""


class Row(NamedTuple):
    rank: Rank
    share: float
    """Of the fastest one's speed."""
    slow: bool
    """Whether the others wait for it."""
    cells: tuple[str, ...]


class Widths(NamedTuple):
    """In cells; 0 for what there is no room for."""

    name: int
    host: int
    bar: int


def rank_lines(ranks: Sequence[Rank], name_width: int, width: int, colours: Palette) -> list[Text]:
    """``name_width`` cells for what each is called, and the rest of ``width`` for what there is room for."""
    if not ranks:
        return []
    columns = _columns(ranks, width - name_width)
    slow, fastest = straggler(ranks), max(item.images_per_second for item in ranks) or 1.0
    rows = [
        Row(item, item.images_per_second / fastest, slow is not None and slow.rank == item.rank, cells)
        for item, cells in zip(ranks, zip(*columns, strict=True), strict=True)
    ]
    hosts = max(cell_len(printable(item.host)) for item in ranks)
    widths = Widths(name_width, *_shared(width - name_width - _wide(columns), hosts))
    return [cut(_line(row, widths, colours), width) for row in rows]


def _line(row: Row, widths: Widths, colours: Palette) -> Text:
    line = Text(f"rank {row.rank.rank}".ljust(widths.name), colours.muted)
    if widths.host:
        line.append(cut(Text(printable(row.rank.host), colours.text), widths.host, pad=True)).append(GAP)
    if widths.bar:
        filled, empty = bar(row.share, widths.bar, glyphs())
        line.append(filled, colours.warn if row.slow else colours.bar).append(empty + GAP, colours.track)
    first, *others = row.cells
    line.append(first, colours.warn if row.slow else colours.text)
    return line.append("".join(map(GAP.__add__, others)), colours.text)


def _shared(room: int, longest: int) -> tuple[int, int]:
    """Cells of the hosts and of the bars."""
    host = min(longest, room - len(GAP))
    if host < min(longest, FEWEST):
        host = 0
    left = room - (host + len(GAP) if host else 0) - len(GAP)
    return host, min(MOST, left) if left >= FEWEST else 0


def _columns(ranks: Sequence[Rank], width: int) -> list[list[str]]:
    """Speed, memory and, where they have one, that of the GPU; in fewer words where they would not fit."""
    memory = _column(format_bytes(item.memory_bytes) for item in ranks)
    held = [format_bytes(item.gpu_memory_bytes) for item in ranks if item.gpu_memory_bytes is not None]
    for unit, gpu in WORDS:
        speeds = _column(f"{speed(item.images_per_second)}{unit}" for item in ranks)
        more = [_column(f"{gpu}{number}" for number in held)] if len(held) == len(ranks) else []
        if _wide([speeds, memory, *more]) <= width:
            break
    return [speeds, memory, *more]


def _column(words: Iterable[str]) -> list[str]:
    found = list(words)
    return [item.rjust(max(map(len, found))) for item in found]


def _wide(columns: Sequence[Sequence[str]]) -> int:
    return len(GAP.join(column[0] for column in columns))
