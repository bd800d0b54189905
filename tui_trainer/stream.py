"""Writing to a standard stream, whatever it is connected to. Whatever is written is safe for a terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, TextIO

from core.errors import UserError
from tui_trainer.escape import printable, printable_json


def wants_live(stream: TextIO) -> bool:
    """Control codes go only to a terminal that can take them, and not when NO_COLOR asks for plain text."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def write_lines(stream: TextIO, lines: Sequence[str]) -> None:
    """At once, escaped, and with a stand-in for characters that the stream's encoding lacks.

    Raises BrokenPipeError when nobody reads any more, and UserError when the stream takes no more for another reason."""
    _write(stream, "".join(f"{printable(line)}\n" for line in lines))


def write_text(stream: TextIO, text: str) -> None:
    """The same of a piece that may begin and end in the middle of a line."""
    _write(stream, "\n".join(map(printable, text.split("\n"))))


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    with writing():
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def write_json(stream: BinaryIO, document: bytes) -> None:
    """At once and escaped; raises as :func:`write_lines` does."""
    write_bytes(stream, printable_json(document))


def write_bytes(stream: BinaryIO, data: bytes) -> None:
    """At once and as they are, which is not for a terminal; raises as :func:`write_lines` does."""
    with writing():
        stream.write(data)
        stream.flush()


class Escaped:
    """A stream for whoever only knows how to write to one, as what prints a traceback."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write("\n".join(map(printable, text.split("\n"))))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


@contextmanager
def writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"the output cannot be written: {error.strerror}") from None
