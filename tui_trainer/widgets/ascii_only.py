"""The last word on what a plain terminal is sent: whatever Textual's own widgets or a run's texts hold, nothing that it would
show as something else."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui_trainer.widgets.glyphs import characters

LIKE = {
    "←": "<", "→": ">", "↑": "^", "↓": "v", "▲": "^", "▼": "v", "▸": ">", "▶": ">", "▾": "v", "◀": "<",
    "…": "~", "·": ".", "•": "*", "×": "x", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"',
    "●": "*", "○": "o", "◆": "#", "■": "#", "□": "#", "✓": "+", "✗": "x", "‖": "=",
    "█": "#", "▀": "-", "▔": "-", "▄": "_", "▁": "_", "▂": "_", "▃": "_", "▅": "#", "▆": "#", "▇": "#",
    "░": ".", "▒": ":", "▓": "#",
}  # fmt: skip
SIDES = range(0x2589, 0x2591)
"""Blocks that fill a cell from its left or its right."""
BRAILLE = range(0x2800, 0x2900)
UNKNOWN = "?"


class AsciiOnly(LineFilter):
    """Of each line that is shown, the characters that the terminal may not have."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(plain(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def plain(text: str) -> str:
    """As many cells of characters that every terminal has."""
    return "".join(character if character.isascii() else _plain(character) for character in text)


@lru_cache(4096)
def _plain(character: str) -> str:
    if found := LIKE.get(character):
        return found
    if ord(character) in BRAILLE:
        return " " if character == "⠀" else "."
    if ord(character) in SIDES:
        return "|"
    name = unicodedata.name(character, "")
    if name.startswith("BOX DRAWINGS"):
        return _of_a_box(name)
    return character if _is_there(character) else _letters(character)


def _of_a_box(name: str) -> str:
    across = any(word in name for word in ("HORIZONTAL", "LEFT", "RIGHT"))
    along = any(word in name for word in ("VERTICAL", "UP", "DOWN"))
    return "+" if across and along else "-" if across else "|"


def _is_there(character: str) -> bool:
    """Letters are in the font of the Linux console, as far as it goes, and in other encodings."""
    try:
        return character.isalpha() and cell_len(character) == 1 and bool(character.encode(characters()))
    except UnicodeEncodeError:
        return False


def _letters(character: str) -> str:
    """Without its accents where it has some, else as many question marks as it takes cells."""
    base = unicodedata.normalize("NFKD", character)[:1]
    width = cell_len(character)
    return base if base.isascii() and base.isprintable() and width == 1 else UNKNOWN * width
