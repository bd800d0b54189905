"""The lines of a text file that grows, read on from where it was read before; a file that is written anew is noticed."""

from __future__ import annotations

import os
from pathlib import Path

from core.files import open_plain
from core.watching.growing import Growing

CHUNK = 256 << 10
"""Bytes that are read at a time."""
LONGEST_LINE = 1 << 20
"""A longer line is none of a log's."""
BUFFER = 4096
"""Bytes of which programs that keep what they write back for a while write a multiple, in the middle of a line."""
HEAD = 4096
"""Bytes at the beginning that stay as they are in a file that is only added to."""


class Tail(Growing):
    """``lines`` are whole ones; the beginning of the next is kept back."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.modified = 0.0
        """Unix seconds, when it was looked at last."""
        self.ended = False
        """Whether its last line counts without a newline too, since nobody waits for more of it."""
        self.restart()

    def restart(self) -> None:
        self.offset = 0
        self._rest, self._head = b"", b""
        self._file = 0
        self._too_long = False

    def lines(self) -> list[str] | None:
        """Those in the next bytes; None when this is not the file any more whose lines were given before. Raises OSError."""
        with open_plain(self.path, follow=True) as file:
            status = os.fstat(file.fileno())
            self.modified = status.st_mtime
            if self.offset and (status.st_size < self.offset or file.read(len(self._head)) != self._head):
                return None
            file.seek(self.offset)
            data = file.read(CHUNK)
        if len(self._head) < HEAD and self.offset == len(self._head):
            self._head += data[: HEAD - len(self._head)]
        self.offset += len(data)
        return self._whole(data + b"\n" if self._ends_here(status.st_size) else data)

    def _ends_here(self, size: int) -> bool:
        return self.ended and self.offset == size and size % BUFFER != 0

    def _whole(self, data: bytes) -> list[str]:
        found, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if self._too_long and newline:
            found, self._too_long = found.partition(b"\n")[2], False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._too_long = b"", True
        return [line.decode("utf-8-sig", "replace") for line in found.splitlines() if line.strip()]
