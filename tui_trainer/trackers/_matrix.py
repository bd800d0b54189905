"""A confusion matrix as a picture, with the names of its classes: the darker a cell, the larger its share of the true class."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_trainer.trackers._base import Confusion

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

LEAST_CELL, ROOMY_CELL, LARGEST_CELL = 16, 34, 52
SIDE = 560
"""Pixels that the cells together are to have, about."""
LONGEST = 14
"""Characters of a class."""
MARGIN, GAP = 10, 6
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial Unicode.ttf", "Arial.ttf")
PAPER, INK, FAINT, GRID = (255, 255, 255), (34, 34, 34), (120, 120, 120), (225, 225, 225)
RIGHT, WRONG = (31, 119, 80), (178, 60, 40)


def encoded(image: Image.Image) -> bytes:
    """As PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def picture(found: Confusion) -> Image.Image:
    from PIL import Image, ImageDraw

    number = len(found.classes)
    cell = min(max(SIDE // number, LEAST_CELL), LARGEST_CELL)
    small, title = _font(min(13, cell - 4)), _font(15)
    names = [_cut(name) for name in found.classes]
    side = round(max(small.getlength(name) for name in names)) + GAP
    left, top = MARGIN + 22 + side, MARGIN + 26 + 20 + side
    wide = max(number * cell, round(title.getlength(_title(found))))
    image = Image.new("RGB", (left + wide + MARGIN, top + number * cell + MARGIN), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((left, MARGIN), _title(found), INK, title)
    draw.text((left, MARGIN + 26), "taken for", FAINT, small)
    _upright(image, (MARGIN, top), "true class", small, FAINT)
    for place, name in enumerate(names):
        draw.text((left - GAP, top + (place + 0.5) * cell), name, INK, small, anchor="rm")
        _upright(image, (left + place * cell + (cell - 14) // 2, top - GAP), name, small, INK, from_below=True)
    _cells(draw, found, (left, top), cell, small)
    return image


def _font(size: int) -> Font:
    """One that knows most scripts, where the system has one; Pillow's own knows English."""
    from PIL import ImageFont

    for name in FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


def _cells(draw: ImageDraw.ImageDraw, found: Confusion, corner: tuple[int, int], cell: int, font: Font) -> None:
    left, top = corner
    for truth, row in enumerate(found.counts):
        total = sum(row)
        for guess, count in enumerate(row):
            x, y = left + guess * cell, top + truth * cell
            share = count / total if total else 0.0
            colour = _shade(share, RIGHT if guess == truth else WRONG)
            draw.rectangle((x, y, x + cell, y + cell), colour, GRID)
            if count and cell >= ROOMY_CELL:
                ink = PAPER if share > 0.5 else INK
                draw.text((x + cell / 2, y + cell / 2), _number(count), ink, font, anchor="mm")


def _shade(share: float, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Small shares are what one looks for, so that they are raised."""
    weight = share**0.6
    red, green, blue = (round(paper + weight * (full - paper)) for paper, full in zip(PAPER, colour, strict=True))
    return red, green, blue


def _upright(
    image: Image.Image,
    place: tuple[int, int],
    text: str,
    font: Font,
    colour: tuple[int, int, int],
    from_below: bool = False,
) -> None:
    """Turned to be read from below; ``place`` is its upper left corner, or the lower one."""
    from PIL import Image, ImageDraw

    width, height = round(font.getlength(text)) + 2, 18
    strip = Image.new("RGB", (width, height), PAPER)
    ImageDraw.Draw(strip).text((1, height / 2), text, colour, font, anchor="lm")
    turned = strip.rotate(90, expand=True)
    image.paste(turned, (place[0], place[1] - turned.height if from_below else place[1]))


def _title(found: Confusion) -> str:
    right, total = sum(row[place] for place, row in enumerate(found.counts)), sum(map(sum, found.counts))
    share = f", {right:,} of {total:,} right" if total else ""
    return f"{'test' if found.split == 'test' else 'validation'}, epoch {found.epoch}, step {found.step:,}{share}"


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _number(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.3g}M"
