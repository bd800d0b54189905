"""Colours: themes of our own, the order in which ``t`` goes through all of them, and what a colour means in a panel."""

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
COLOUR_BLIND = Theme(
    name="trainer-colour-blind",
    primary="#56b4e9",
    secondary="#9aa7b5",
    accent="#e69f00",
    foreground="#e2e6ea",
    background="#101418",
    surface="#161b21",
    panel="#232a33",
    success="#00b083",
    warning="#f0e442",
    error="#e0712a",
    dark=True,
    variables={
        "border": "#465260",
        "border-blurred": "#36404c",
        "footer-background": "#161b21",
        "footer-key-foreground": "#e69f00",
    },
)
"""The colours of Okabe and Ito, which stay apart for who does not see red, green or blue; the darkest a little lighter."""
HIGH_CONTRAST = Theme(
    name="trainer-high-contrast",
    primary="#6cc8ff",
    secondary="#c8c8c8",
    accent="#ffb454",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#262626",
    success="#5cff8a",
    warning="#ffff55",
    error="#ff7b7b",
    dark=True,
    variables={
        "border": "#c8c8c8",
        "border-blurred": "#9a9a9a",
        "footer-background": "#000000",
        "footer-key-foreground": "#ffb454",
        "least-contrast": "7",
    },
)
OWN: tuple[Theme, ...] = (DARK, LIGHT, COLOUR_BLIND, HIGH_CONTRAST)
# The ansi themes take the terminal's own sixteen colours, which cannot be mixed; they stay out.
BY_NAME: dict[str, Theme] = {theme.name: theme for theme in OWN} | {
    name: BUILTIN_THEMES[name] for name in sorted(BUILTIN_THEMES) if not name.startswith("ansi")
}
NAMES: tuple[str, ...] = tuple(BY_NAME)


def next_theme(name: str) -> str:
    """The theme after ``name``, round and round."""
    return NAMES[(NAMES.index(name) + 1) % len(NAMES)] if name in NAMES else NAMES[0]


QUIET = 0.66
"""How far labels and notes stand from the ground, as a share of the text."""


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


ON_DARK = ("#5fb3f0", "#f2b35d", "#6cc98a", "#f0716e", "#c79bf2", "#4fd6d6", "#e6e06a", "#f29bc9")
ON_LIGHT = ("#1667a8", "#b25c00", "#1f7a40", "#b3261e", "#7a3fb8", "#00707a", "#746000", "#b0307a")


def of_runs(ground: str) -> tuple[str, ...]:
    """Colours of runs that are compared, on a screen of that colour."""
    return ON_DARK if Color.parse(ground).brightness < 0.5 else ON_LIGHT


def palette(variables: Mapping[str, str]) -> Palette:
    """The palette of a theme, from its CSS variables (``App.theme_variables``)."""
    background, text = Color.parse(variables["background"]), Color.parse(variables["foreground"])

    def plain(name: str) -> Color:
        return Color.parse(variables[name])

    return Palette(
        text=text.hex6,
        muted=plain("quiet").hex6 if "quiet" in variables else background.blend(text, QUIET).hex6,
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
