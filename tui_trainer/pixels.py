"""Whether the terminal is asked to show pictures by their pixels, which kitty's graphics protocol does and sixel, or gets
half-blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from core.errors import UserError

SETTING = "TUI_TRAINER_PICTURES"
CHOICES = ("auto", "blocks", "kitty", "sixel")
NAMES = ("xterm-kitty", "xterm-ghostty")
"""TERM in those that have pictures in place of placeholder characters; ssh carries it along. They all have 2**24 colours."""
MULTIPLEXERS = ("TMUX", "STY", "ZELLIJ")
"""Set by those that keep a screen of their own, which has no pictures. One of them takes kitty's question for its title."""

UNANSWERING = ("dumb", "unknown", "linux", "ansi", "cons", "sun", "eterm")
"""Beginnings of the TERMs of those that are not asked whether they have sixel."""


class Way(NamedTuple):
    """How the terminal shows pictures."""

    name: Literal["blocks", "kitty", "sixel"] = "blocks"
    width: int = 0
    """Of a cell in pixels, as ``height`` is, which sixel needs to know."""
    height: int = 0
    colours: int = 0
    """At most, of a picture."""


BLOCKS, KITTY = Way(), Way("kitty")


def choice(environ: Mapping[str, str]) -> str:
    """What a person wants; raises UserError."""
    wanted = environ.get(SETTING) or CHOICES[0]
    if wanted not in CHOICES:
        raise UserError(f"{SETTING}: {wanted!r} is not known; expected one of {', '.join(CHOICES)}")
    return wanted


def may_ask(environ: Mapping[str, str]) -> bool:
    """Whether the terminal may have kitty's pictures, by its name, and shows no nonsense when asked.

    The name alone does not do: kitty has them since 0.28, and what is started from within it inherits its marks."""
    term = environ.get("TERM", "")
    if not term.startswith("xterm") or any(environ.get(name) for name in MULTIPLEXERS):
        return False
    return term in NAMES or "KITTY_WINDOW_ID" in environ or environ.get("TERM_PROGRAM") == "ghostty"


def may_ask_for_sixel(environ: Mapping[str, str]) -> bool:
    """Whether the terminal may have sixel, and shows no nonsense when asked.

    tmux, asked, says that it has, whatever the one around it has: there it shows words instead, or drops most of the pictures
    (3.7). GNU screen hands the pixels on to wherever that one's cursor is."""
    term = environ.get("TERM", "")
    return bool(term) and not term.startswith(UNANSWERING) and not any(environ.get(name) for name in MULTIPLEXERS)


def words(environ: Mapping[str, str]) -> str:
    """What a bug report needs to know."""
    wanted = choice(environ)
    if wanted == "auto":
        asked = [name for name, asks in (("kitty's", may_ask), ("sixel", may_ask_for_sixel)) if asks(environ)]
        return f"by pixels if the terminal, asked, has {' or '.join(asked)}; else half-blocks" if asked else "half-blocks"
    return f"{'half-blocks' if wanted == 'blocks' else f'by pixels, {wanted}'}, as {SETTING} has it"
