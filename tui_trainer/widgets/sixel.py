"""Sixel, the pixels of DEC's terminals: a picture in bands of six rows, a character for each column of a band."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from core.view.pictures import Picture
from tui_trainer.widgets.half_blocks import scaled

ROWS = 6
"""Of pixels in a band."""
COLOURS = 256
"""More than this no terminal has at once."""
SHORTEST = 4
"""What is repeated less often is not written shorter by saying how often."""


def encoded(picture: Picture, width: int, height: int, colours: int) -> str:
    """In so many pixels and at most so many colours. Every pixel is one of the picture's, so that nothing shines through, and
    none is below the last one, where another line begins."""
    from PIL import Image

    image = Image.frombytes("RGB", (width, height), scaled(picture, width, height)).quantize(min(colours, COLOURS))
    places, palette = image.tobytes(), image.getpalette() or []
    rows = [places[at : at + width] for at in range(0, len(places), width)]
    bands = (_band(rows[at : at + ROWS]) for at in range(0, height, ROWS))
    named = "".join(_named(colour, palette[colour * 3 :][:3]) for colour in sorted(set(places)))
    return f'\x1bP0;1q"1;1;{width};{height}{named}{"-".join(bands)}\x1b\\'


def _named(colour: int, parts: Sequence[int]) -> str:
    """In per cent of red, green and blue."""
    red, green, blue = (round(part * 100 / 255) for part in parts)
    return f"#{colour};2;{red};{green};{blue}"


def _band(rows: Sequence[bytes]) -> str:
    """One colour of each column after the other: as often over all columns as one of them has colours."""
    columns = [(_colours(column), len(list(same))) for column, same in groupby(zip(*rows, strict=True))]
    most = max(len(colours) for colours, _ in columns)
    return "$".join(_over((colours[layer : layer + 1], times) for colours, times in columns) for layer in range(most))


def _colours(column: Iterable[int]) -> list[tuple[int, int]]:
    """Each with its pixels, the uppermost in the lowest bit."""
    found: dict[int, int] = {}
    for row, colour in enumerate(column):
        found[colour] = found.get(colour, 0) | 1 << row
    return list(found.items())


def _over(columns: Iterable[tuple[list[tuple[int, int]], int]]) -> str:
    """Columns from left to right, of a colour each or of none."""
    words, present = list[str](), -1
    for found, same in groupby(columns, key=lambda item: item[0]):
        colour, pixels = found[0] if found else (present, 0)
        if colour != present:
            words.append(f"#{colour}")
            present = colour
        times, character = sum(times for _, times in same), chr(ord("?") + pixels)
        words.append(f"!{times}{character}" if times >= SHORTEST else character * times)
    return "".join(words)
