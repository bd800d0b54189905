"""Whether the terminal is asked to show pictures by their pixels, which kitty's graphics protocol does, or gets half-blocks."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import UserError

SETTING = "TUI_TRAINER_PICTURES"
CHOICES = ("auto", "blocks", "kitty")
NAMES = ("xterm-kitty", "xterm-ghostty")
"""TERM in those that have pictures in place of placeholder characters; ssh carries it along. They all have 2**24 colours."""
MULTIPLEXERS = ("TMUX", "STY", "ZELLIJ")
"""Set by those that keep a screen of their own, which has no pictures. One of them takes the question for its title."""


def choice(environ: Mapping[str, str]) -> str:
    """What a person wants; raises UserError."""
    wanted = environ.get(SETTING) or CHOICES[0]
    if wanted not in CHOICES:
        raise UserError(f"{SETTING}: {wanted!r} is not known; expected one of {', '.join(CHOICES)}")
    return wanted


def may_ask(environ: Mapping[str, str]) -> bool:
    """Whether the terminal may have pictures, by its name, and shows no nonsense when asked.

    The name alone does not do: kitty has them since 0.28, and what is started from within it inherits its marks."""
    term = environ.get("TERM", "")
    if not term.startswith("xterm") or any(environ.get(name) for name in MULTIPLEXERS):
        return False
    return term in NAMES or "KITTY_WINDOW_ID" in environ or environ.get("TERM_PROGRAM") == "ghostty"


def words(environ: Mapping[str, str]) -> str:
    """What a bug report needs to know."""
    wanted = choice(environ)
    if wanted == "auto":
        return "by pixels if the terminal, asked, has them" if may_ask(environ) else "half-blocks"
    return f"{'half-blocks' if wanted == 'blocks' else 'by pixels'}, as {SETTING} has it"
