"""The whole of a long journal, folded by a process of its own: a thread would share the interpreter with the screen, and each
would hold the other up. ``python -P -m core.view.history RUN_DIR`` says how far it is, a number of bytes a line, then an empty
line, then the :class:`History`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.errors import UNREADABLE
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening

CHUNK = 1 << 20
"""Bytes read at a time."""


class History(msgspec.Struct, frozen=True):
    """``state`` is the fold of the journal up to the byte ``offset``."""

    offset: int
    state: State


def read(run: RunFolder, progress: Callable[[int], bool]) -> History:
    """``progress`` is told how many bytes have been read, and may end it by False. What was not read, since that process could
    not be started or failed, is left to the caller: then the history is that of no byte."""
    command = [sys.executable, "-P", "-m", "core.view.history", str(run.path.absolute())]
    try:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        ) as child:
            return _heard(child, progress)
    except (OSError, ValueError, *UNREADABLE):
        return History(0, opening(run))


def _heard(child: subprocess.Popen[bytes], progress: Callable[[int], bool]) -> History:
    assert child.stdout is not None
    for line in child.stdout:
        if line == b"\n":
            break
        if not progress(int(line)):
            child.kill()
    return msgspec.msgpack.decode(child.stdout.read(), type=History)


def main() -> None:
    run = RunFolder(Path(sys.argv[1]))
    reader, state = JournalReader(run.journal), opening(run)
    while not reader.at_end:
        state = fold(state, reader.read(CHUNK))
        sys.stdout.buffer.write(b"%d\n" % reader.offset)
        sys.stdout.buffer.flush()
    sys.stdout.buffer.write(b"\n" + msgspec.msgpack.encode(History(reader.whole, state)))


if __name__ == "__main__":
    main()
