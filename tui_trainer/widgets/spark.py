"""A curve in one row."""

from __future__ import annotations

from collections.abc import Sequence

from tui_trainer.widgets.glyphs import ASCII, Glyphs

LEVELS = "▁▂▃▄▅▆▇█"
ASCII_LEVELS = "_.-:=+*#"


def spark(shares: Sequence[float], width: int, marks: Glyphs) -> str:
    """The latest ``width`` of them (0 to 1), a cell each; where there are fewer, blanks before the first."""
    levels = ASCII_LEVELS if marks is ASCII else LEVELS
    shown = shares[-width:] if width > 0 else ()
    return "".join(levels[min(max(int(share * len(levels)), 0), len(levels) - 1)] for share in shown).rjust(width)
