"""Texts that would colour, move, hide or reorder what is on a terminal, and how to see that none of them got there."""

from __future__ import annotations

import unicodedata
from typing import Any

from msgspec.structs import replace

from core.events import Event

EVIL = (
    "evil\x1b[31m\x1b]0;title\x07\x9b2J\x85\x7f\u202e\u2066\u2069\u200b\u200d\u2028\ufeff\u3164\ufe0f\U000e0041\r\n\t"
    "[bold]b[/bold][/x] $(rm)"
)
"""Control codes of 7 and of 8 bits, right-to-left overrides, invisible characters, line breaks, markup."""
NAME = EVIL.replace("/", "\u2044")
"""The same for a folder."""
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
KEPT = frozenset({"split", "level", "key", "origin", "program"})
"""Fields of which only certain values have a meaning, or that make another kind of run of it."""


def lets_through(text: str) -> list[str]:
    """What must not reach a terminal; lines may end."""
    return sorted({character for character in text if character != "\n" and _is_bad(character)}) + _torn(text)


def _is_bad(character: str) -> bool:
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return unseen or character in BLANK or "\ufe00" <= character <= "\ufe0f"


def _torn(text: str) -> list[str]:
    """A line that begins with what stands after the line break of :data:`EVIL`."""
    return [line for line in text.split("\n") if line.strip().startswith("[bold]")]


def hostile(event: Event, text: str = EVIL) -> Event:
    """The event with such a text wherever it has one."""
    return replace(
        event, **{name: _hostile(getattr(event, name), text) for name in event.__struct_fields__ if name not in KEPT}
    )


def _hostile(value: Any, text: str) -> Any:
    match value:
        case str():
            return text
        case (str(), *_):
            return tuple(f"{text}{place}" for place in range(len(value)))
        case dict():
            return {**value, text: 1.0}
    return value
