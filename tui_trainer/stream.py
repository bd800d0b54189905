"""Writing to a standard stream, whatever it is connected to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO


def wants_live(stream: TextIO) -> bool:
    """Control codes go only to a terminal that can take them, and not when NO_COLOR asks for plain text."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def write_lines(stream: TextIO, lines: Sequence[str]) -> None:
    """At once, and with a stand-in for characters that the stream's encoding lacks."""
    encoding = stream.encoding or "utf-8"
    text = "".join(f"{line}\n" for line in lines)
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
