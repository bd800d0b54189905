"""Text from outside (names, paths, classes, exceptions) made safe for a terminal.

What is returned holds no control code and no invisible or direction-changing character. It may still hold markup such as
``[bold]``: show it through ``rich.text.Text`` or with ``markup=False``.
"""

from __future__ import annotations

import re

LONGEST = 4000
"""Characters that are shown of one text."""
IGNORED = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Nothing or a blank is drawn for them (Unicode: default-ignorable), although Python has them printable."""


def printable(text: str) -> str:
    """``text``, cut where it is very long, with everything that does not print written out, for instance an escape as
    ``\\x1b``."""
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return shown if _plain(shown) else "".join(map(_written_out, shown))


def printable_json(document: bytes) -> bytes:
    """JSON that means the same, with everything that does not print, line breaks apart, as ``\\u`` escapes."""
    lines = document.decode("utf-8", "replace").split("\n")
    return "\n".join(line if _plain(line) else "".join(map(_in_json, line)) for line in lines).encode()


def file_name(text: str) -> str:
    """As much of it as can be in the name of a file on any system, and is no trouble in a shell."""
    kept = ((character.isalnum() and _prints(character)) or character in "._+-" for character in text)
    safe = "".join(character if keep else "-" for character, keep in zip(text, kept, strict=True))
    return safe.lstrip(".-") or "run"


def _plain(text: str) -> bool:
    """Whether all of it prints; that of other scripts is looked at one by one."""
    return text.isascii() and text.isprintable()


def _prints(character: str) -> bool:
    return character.isprintable() and not IGNORED.match(character)


def _written_out(character: str) -> str:
    return character if _prints(character) else character.encode("unicode_escape").decode("ascii")


def _in_json(character: str) -> str:
    if _prints(character):
        return character
    if character in "\t\r":  # blanks between two parts of it: inside a text JSON has them escaped already
        return " "
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
