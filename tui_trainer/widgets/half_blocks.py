"""A picture in characters: two pixels a cell where there are colours, else a character for how bright it is."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from core.view.pictures import Picture
from tui_trainer.widgets.heat import shade

HALF = "▀"


def drawn(picture: Picture, columns: int, rows: int, few_colours: bool, light: bool = False) -> list[Strip]:
    """``rows`` strips of ``columns`` cells; of characters that make a ``light`` ground darker, or a dark one lighter."""
    pixels = scaled(picture, columns, rows * 2)
    if few_colours:
        return [Strip([Segment(_shades(pixels, columns, row, light))], columns) for row in range(rows)]
    return [Strip(_halves(pixels, columns, row), columns) for row in range(rows)]


def scaled(picture: Picture, width: int, height: int) -> bytes:
    """Red, green and blue of each pixel, row by row."""
    from PIL import Image  # some milliseconds, which a screen without pictures does without

    size = picture.width, picture.height
    area = size[0] * size[1]
    planes = [picture.pixels[place * area : (place + 1) * area] for place in range(picture.channels)] * (4 - picture.channels)
    image = Image.merge("RGB", [Image.frombytes("L", size, plane) for plane in planes[:3]])
    return (image if size == (width, height) else image.resize((width, height), Image.Resampling.BOX)).tobytes()


def _halves(pixels: bytes, columns: int, row: int) -> list[Segment]:
    upper, lower = row * 2 * columns * 3, (row * 2 + 1) * columns * 3
    return [
        Segment(HALF, _style(pixels[upper + at : upper + at + 3], pixels[lower + at : lower + at + 3]))
        for at in range(0, columns * 3, 3)
    ]


@lru_cache(maxsize=16_384)
def _style(above: bytes, below: bytes) -> Style:
    return Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below))


def _shades(pixels: bytes, columns: int, row: int, light: bool) -> str:
    upper, lower = row * 2 * columns * 3, (row * 2 + 1) * columns * 3
    places = range(0, columns * 3, 3)
    values = ((_brightness(pixels, upper + at) + _brightness(pixels, lower + at)) / 2 for at in places)
    return "".join(shade(1 - value if light else value) for value in values)


def _brightness(pixels: bytes, at: int) -> float:
    """From 0 to 1, as the eye weighs the colours (Rec. 601)."""
    return (0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]) / 255
