"""Themes that can be read: of Textual's own, some have text and marks that hardly differ from the ground they stand on."""

from __future__ import annotations

from copy import copy
from functools import cache

from textual.color import Color
from textual.theme import Theme

from tui_trainer import theme

LEAST = 4.5
"""Contrast of what is read (WCAG), where a theme does not ask for more."""
ROUNDED = 1.01
"""A little more, since Textual rounds colours of its own."""
LEAST_BORDER = 1.4
CHOSEN = 0.3
"""How much of the primary colour is in the ground of what is selected."""
MARKS = ("primary", "secondary", "accent", "success", "warning", "error")
"""The colours of a theme that curves and some texts have."""
BLACK, WHITE = Color(0, 0, 0), Color(255, 255, 255)


@cache
def legible(name: str) -> Theme | None:
    """A theme of that name, its colours moved as far as it takes to read them, and with ``$quiet`` for what is said aside."""
    found = theme.BY_NAME.get(name)
    return _legible(found) if found else None


def _legible(given: Theme) -> Theme:
    variables = {**given.to_color_system().generate(), **given.variables}
    least = float(variables.get("least-contrast", LEAST))
    grounds = tuple(Color.parse(variables[ground]) for ground in ("background", "surface"))

    def moved(name: str, *more: Color) -> Color:
        return _moved(Color.parse(getattr(given, name) or variables[name]), (*grounds, *more), least)

    colours = {name: moved(name) for name in MARKS}
    colours["foreground"] = moved("foreground", grounds[1].blend(colours["primary"], CHOSEN))
    quiet = _moved(grounds[0].blend(colours["foreground"], theme.QUIET), grounds, least)
    border = _moved(Color.parse(variables["border-blurred"]), grounds[:1], LEAST_BORDER)
    own = {
        "quiet": quiet.hex6, "border-blurred": border.hex6, "footer-background": grounds[1].hex6,
        "footer-key-foreground": colours["accent"].hex6, "footer-foreground": colours["foreground"].hex6,
        "footer-description-foreground": colours["foreground"].hex6,
    }  # fmt: skip
    found = copy(given)
    for name, colour in colours.items():
        setattr(found, name, colour.hex6)
    found.variables = {**given.variables, **own}
    return found


def _moved(colour: Color, grounds: tuple[Color, ...], least: float) -> Color:
    """As it is where that will do, else towards black or white, whichever is farther from the grounds."""
    if min(contrast(colour, ground) for ground in grounds) >= least:
        return colour
    end = max((BLACK, WHITE), key=lambda end: min(contrast(end, ground) for ground in grounds))
    steps = (colour.blend(end, step / 50) for step in range(1, 50))
    return next((step for step in steps if min(contrast(step, ground) for ground in grounds) >= least * ROUNDED), end)


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21 (WCAG 2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
