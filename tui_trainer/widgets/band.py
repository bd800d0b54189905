"""The band from the least to the greatest value of every column, in dots of our own: to plotext it would be lines up and down,
which take it four times as long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from tui_trainer.widgets.glyphs import Marker
from tui_trainer.widgets.reduction import Frame, Spot
from tui_trainer.widgets.rows import Row

BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a character's dots, by column and row."""
QUADRANTS = " ▘▖▌▝▀▞▛▗▚▄▙▐▜▟█"
"""By bits: upper left 1, lower left 2, upper right 4, lower right 8."""


def put_band(rows: Sequence[Row], spots: Sequence[Spot], frame: Frame, marker: Marker, colour: str, start: int = 0) -> None:
    """Over what is in the rows, from a column of them on. Columns without points of their own are bridged."""
    tall, masks, most = marker.rows, _masks(marker), frame.rows * marker.rows - 1
    cells = [[0] * frame.columns for _ in rows]
    for place, top, bottom in _bars(spots, frame, marker):
        column, column_masks = place // marker.columns, masks[place % marker.columns]
        top, bottom = max(top, 0), min(bottom, most)
        for cell in range(top // tall, bottom // tall + 1):
            first, last = max(top - cell * tall, 0), min(bottom - cell * tall, tall - 1)
            cells[cell][column] |= column_masks[first][last]
    characters = _characters(marker)
    for row, bits in zip(rows, cells, strict=True):
        for column, found in enumerate(bits[start:], start):
            if found:
                row.characters[column], row.colours[column] = characters[found], colour


def _bars(spots: Sequence[Spot], frame: Frame, marker: Marker) -> Iterator[tuple[int, int, int]]:
    """From which dot to which, in each column of dots; each bar touches the one before it."""
    most = frame.rows * marker.rows - 1
    scale = most / (frame.top - frame.bottom)
    before: tuple[int, int, int] | None = None
    for spot in spots:
        place = frame.place(spot.step, marker.columns)
        top, bottom = round((frame.top - spot.high) * scale), round((frame.top - spot.low) * scale)
        if before:
            yield from _bridge(before, place, top, bottom)
        before = place, top, bottom
        yield before


def _bridge(before: tuple[int, int, int], place: int, top: int, bottom: int) -> Iterator[tuple[int, int, int]]:
    """A straight line between the nearest ends of two bars, which goes half its way up or down at each of them."""
    last, last_top, last_bottom = before
    if place == last:
        yield place, min(top, last_top), max(bottom, last_bottom)
        return
    start, end = (last_bottom, top) if top > last_bottom else (last_top, bottom) if bottom < last_top else (0, 0)
    if start == end:
        middle = min(max((top + bottom) // 2, last_top), last_bottom)
        yield from ((between, middle, middle) for between in range(last + 1, place))
        return
    steps = place - last
    for number in range(steps + 1):
        low, high = sorted(start + (end - start) * min(max(part, 0.0), steps) / steps for part in (number - 0.5, number + 0.5))
        yield last + number, round(low), round(high)


@cache
def _masks(marker: Marker) -> list[list[list[int]]]:
    """By column, first and last dot within a cell: the bits from the one to the other."""
    bits = BRAILLE if marker.rows == 4 else ((1, 2), (4, 8)) if marker.rows == 2 else ((1,),)
    dots = range(marker.rows)
    return [[[sum(column[first : last + 1]) for last in dots] for first in dots] for column in bits]


@cache
def _characters(marker: Marker) -> str:
    """By bits."""
    if marker.rows == 4:
        return "".join(chr(0x2800 + bits) for bits in range(256))
    return QUADRANTS if marker.rows == 2 else f" {marker.symbol}"
