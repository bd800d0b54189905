"""Kitty's graphics protocol, as far as pictures need it that a terminal shows in place of placeholder characters.

Placeholders are text: the colour of a cell says which picture of those that the terminal was sent, two accents which part of
it. So whatever moves, covers or repaints cells does so with pictures too, which pixels painted over cells (sixel) do not bear.
"""

from __future__ import annotations

import base64
import zlib
from typing import NamedTuple

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from core.view.pictures import Picture
from tui_trainer.widgets.half_blocks import scaled

PLACEHOLDER = "\U0010eeee"
ACCENTS = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357"
    "\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484"
)
"""What stands for the numbers from 0 on, of a row or a column; the largest picture has as many columns."""
MOST = (1 << 24) - 1
"""The largest number of a picture that a colour can name."""
CHUNK = 4096
"""Characters of one message at the most."""
SHARP = 128
"""Pixels that are sent of each side at the least: a terminal blurs what it enlarges."""
QUESTION = (
    f"\x1b7\x1b[2;2H\x1b_Ga=T,U=0,q=2,i={MOST},f=32,s=1,v=1,c=3,r=1;AAAAAA==\x1b\\\x1b[6n\x1b_Ga=d,d=I,q=2,i={MOST}\x1b\\\x1b8"
)
"""Shows one transparent pixel three cells wide and asks where the cursor is. It has moved only where ``U`` is known, which
placeholders came with. Every terminal says where its cursor is, in words that the console's input understands; what it would
say of its pictures would be taken for keys."""
YES = (4, 1)
"""The cursor's column and row, from 0."""


class Pixels(NamedTuple):
    width: int
    height: int
    data: str


def encoded(picture: Picture) -> Pixels:
    """As it is sent: red, green and blue of each pixel."""
    times = max(1, SHARP // max(picture.width, picture.height))
    width, height = picture.width * times, picture.height * times
    return Pixels(width, height, base64.b64encode(zlib.compress(scaled(picture, width, height))).decode("ascii"))


def sent(number: int, pixels: Pixels, columns: int, rows: int) -> str:
    """Gives the terminal a picture, to be fitted into so many cells. It is to answer nothing (q)."""
    chunks = [pixels.data[at : at + CHUNK] for at in range(0, len(pixels.data), CHUNK)]
    first = f"a=T,U=1,i={number},f=24,o=z,s={pixels.width},v={pixels.height},c={columns},r={rows},"
    return "".join(
        f"\x1b_G{first if place == 0 else ''}q=2,m={int(place < len(chunks) - 1)};{chunk}\x1b\\"
        for place, chunk in enumerate(chunks)
    )


def forgotten(number: int) -> str:
    """Takes a picture from the terminal's memory."""
    return f"\x1b_Ga=d,d=I,q=2,i={number}\x1b\\"


def placeholders(number: int, columns: int, rows: int, ground: str) -> list[Strip]:
    """``rows`` strips of ``columns`` cells. Each cell says all of itself, since a repaint may begin anywhere, and is a segment
    of its own, since those of more are sometimes cut between a character and its accents."""
    style = Style(color=Color.from_rgb(number >> 16, number >> 8 & 255, number & 255), bgcolor=Color.parse(ground))
    cells = ((PLACEHOLDER + ACCENTS[row] + accent for accent in ACCENTS[:columns]) for row in range(rows))
    return [Strip([Segment(cell, style) for cell in line], columns) for line in cells]
