"""A run's state as a glyph and a word in the colour that it means."""

from __future__ import annotations

from rich.text import Text

from core.view.state import Status
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import ASCII, glyphs

GLYPHS: dict[Status, tuple[str, str]] = {
    "preparing": ("◌", "o"),
    "running": ("●", "*"),
    "paused": ("‖", "="),
    "finished": ("✓", "+"),
    "early-stopped": ("✓", "+"),
    "stopped": ("■", "#"),
    "discarded": ("□", "-"),
    "failed": ("✗", "x"),
    "lost": ("!", "!"),
    "watched": ("◉", "@"),
    "queued": ("…", "."),
}
"""By state, each also for terminals that have no such character."""
SHORT: dict[Status, str] = {"early-stopped": "early stop"}
WIDTH = 2 + max(len(SHORT.get(status, status)) for status in GLYPHS)
"""Columns of the widest badge."""


def run_badge(status: Status, colours: Palette) -> Text:
    """``status`` as it stands in a list, at most ``WIDTH`` cells wide."""
    glyph = GLYPHS[status][glyphs() is ASCII]
    return Text(f"{glyph} {SHORT.get(status, status)}", style=_colour(status, colours))


def _colour(status: Status, colours: Palette) -> str:
    if status in ("failed", "lost"):
        return colours.bad
    if status in ("paused", "stopped"):
        return colours.warn
    if status in ("discarded", "queued"):
        return colours.muted
    return {"running": colours.good, "preparing": colours.train, "watched": colours.train}.get(status, colours.text)
