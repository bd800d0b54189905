"""The console's picture of itself, made fit for any viewer: it asks nothing of the outside, and needs no font with braille."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from rich.cells import cell_len

from core.errors import UserError

FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")
"""Rich asks a server for a font by it; without it the viewer takes the font where it has it, else another one."""
RUN = re.compile(r'<text class="(?P<style>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)"(?P<rest>[^>]*)>(?P<text>[^<]*)</text>')
"""Characters in a row that look alike."""
BRAILLE = range(0x2800, 0x2900)
CELL_WIDTH, CELL_HEIGHT, BASELINE = 12.2, 24.4, 18.5
"""Of rich's picture, and how far below a cell's upper edge its letters stand."""
DOT = 3.0
PLACES = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dot that each bit stands for."""


def alone(svg: str) -> str:
    """The picture without the font from outside, its curves of dots drawn as such."""
    return RUN.sub(_dotted, FONT_FACE.sub("", svg))


def png(svg: str, scale: float = 1.0) -> bytes:
    """Raises UserError where the optional package is missing that draws it."""
    try:
        from cairosvg import svg2png
    except (ImportError, OSError):  # OSError: without the system's cairo library
        raise UserError(
            "a PNG needs the package cairosvg and the library cairo: pip install 'tui-trainer[png]', or write an .svg"
        ) from None
    drawn: bytes = svg2png(bytestring=svg.replace("Fira Code", "monospace").encode(), scale=scale)
    return drawn


def _dotted(run: re.Match[str]) -> str:
    """Most fonts have no braille, and those that have it draw it in widths of their own."""
    text = html.unescape(run["text"])
    if not any(ord(character) in BRAILLE for character in text):
        return run[0]
    dots = "".join(_dots(text, float(run["x"]), float(run["y"]) - BASELINE))
    plain = "".join("\xa0" if ord(character) in BRAILLE else character for character in text)
    shown = f'<text class="{run["style"]}" x="{run["x"]}" y="{run["y"]}"{run["rest"]}>{html.escape(plain)}</text>'
    return (shown if plain.strip("\xa0 ") else "") + f'<path class="{run["style"]}" d="{dots}"/>'


def _dots(text: str, left: float, top: float) -> Iterator[str]:
    """A square for each."""
    for character in text:
        bits = ord(character) - BRAILLE.start if ord(character) in BRAILLE else 0
        for bit, (column, row) in enumerate(PLACES):
            if bits >> bit & 1:
                x = left + CELL_WIDTH * (column + 0.5) / 2 - DOT / 2
                y = top + CELL_HEIGHT * (row + 0.5) / 4 - DOT / 2
                yield f"M{x:.1f},{y:.1f}h{DOT:g}v{DOT:g}h-{DOT:g}z"
        left += CELL_WIDTH * cell_len(character)
