"""Shares as colours between the screen's ground and a colour of the theme, or as characters where there are too few colours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rich.console import Console
from rich.style import Style
from textual.color import Color

from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import ASCII, glyphs

SHADES = " .:-=+*#%@"
STEPS = 24
"""Different colours of a scale; more can not be told apart."""


def few_colours(app: Any) -> bool:
    """Whether colours cannot say how much: none are wanted, the terminal has sixteen at the most, or plain characters alone."""
    console: Console = app.console
    return app.no_color or glyphs() is ASCII or console.color_system in (None, "standard", "windows")


def shade(share: float) -> str:
    """A character that is the darker the larger the share (0 to 1); nothing for nothing alone."""
    share = min(max(share, 0.0), 1.0)
    return SHADES[max(round(share * (len(SHADES) - 1)), 1)] if share > 0 else SHADES[0]


def heat(share: float, colour: str, colours: Palette) -> Style:
    """A style that is the stronger in ``colour`` the larger the share (0 to 1), with a text colour that can be read on it."""
    return _style(round(min(max(share, 0.0), 1.0) * STEPS), colour, colours.ground, colours.text, colours.muted)


@lru_cache(maxsize=4096)
def _style(step: int, colour: str, ground: str, text: str, muted: str) -> Style:
    if not step:
        return Style.parse(f"{muted} on {ground}")
    mixed = Color.parse(ground).blend(Color.parse(colour), 0.08 + 0.92 * step / STEPS)
    written = max((Color.parse(name) for name in (text, ground)), key=lambda name: abs(name.brightness - mixed.brightness))
    return Style.parse(f"{written.hex6} on {mixed.hex6}")
