"""Colours: two themes of our own, the order in which ``t`` goes through all of them, and what a colour means in a panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="trainer-dark",
    primary="#5fb3f0",
    secondary="#8fa1b8",
    accent="#f2b35d",
    foreground="#d8dee6",
    background="#12161c",
    surface="#171c24",
    panel="#222a35",
    success="#6cc98a",
    warning="#f0c04c",
    error="#f0716e",
    dark=True,
    variables={
        "border": "#3a4656",
        "border-blurred": "#2b3542",
        "footer-background": "#171c24",
        "footer-key-foreground": "#f2b35d",
    },
)
LIGHT = Theme(
    name="trainer-light",
    primary="#1667a8",
    secondary="#5a6b80",
    accent="#b25c00",
    foreground="#1d2733",
    background="#fbfbf9",
    surface="#f3f3ef",
    panel="#e6e7e2",
    success="#1f7a40",
    warning="#8f6400",
    error="#b3261e",
    dark=False,
    variables={
        "border": "#b9bec4",
        "border-blurred": "#d3d6d8",
        "footer-background": "#f3f3ef",
        "footer-key-foreground": "#b25c00",
    },
)
OWN: tuple[Theme, ...] = (DARK, LIGHT)
# The ansi themes take the terminal's own sixteen colours, which cannot be mixed; they stay out.
NAMES: tuple[str, ...] = (
    *(theme.name for theme in OWN),
    *sorted(name for name in BUILTIN_THEMES if not name.startswith("ansi")),
)


def next_theme(name: str) -> str:
    """The theme after ``name``, round and round."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]


class Palette(NamedTuple):
    """What each colour means, as ``#rrggbb``."""

    text: str
    muted: str
    faint: str
    train: str
    train_raw: str
    held_out: str
    held_out_faint: str
    rate: str
    good: str
    warn: str
    bad: str
    bar: str
    track: str
    ground: str
    """Of the screen, for colours that are mixed with it."""


def palette(variables: Mapping[str, str]) -> Palette:
    """The palette of a theme, from its CSS variables (``App.theme_variables``)."""
    background, text = Color.parse(variables["background"]), Color.parse(variables["foreground"])

    def plain(name: str) -> Color:
        return Color.parse(variables[name])

    return Palette(
        text=text.hex6,
        muted=background.blend(text, 0.66).hex6,
        faint=background.blend(text, 0.32).hex6,
        train=plain("primary").hex6,
        train_raw=background.blend(plain("primary"), 0.42).hex6,
        held_out=plain("accent").hex6,
        held_out_faint=background.blend(plain("accent"), 0.42).hex6,
        rate=plain("success").hex6,
        good=plain("success").hex6,
        warn=plain("warning").hex6,
        bad=plain("error").hex6,
        bar=plain("primary").hex6,
        track=background.blend(text, 0.16).hex6,
        ground=background.hex6,
    )
