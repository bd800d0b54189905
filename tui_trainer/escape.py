"""Text from outside (names, paths, classes, exceptions) made safe for a terminal.

What is returned holds no control code and no invisible or direction-changing character. It may still hold markup such as
``[bold]``: show it through ``rich.text.Text`` or with ``markup=False``.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with everything that does not print written out, for instance an escape as ``\\x1b``."""
    return text if text.isprintable() else "".join(map(_written_out, text))


def _written_out(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
