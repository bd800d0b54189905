"""The whole of a long journal, folded by a process of its own: a thread would share the interpreter with the screen, and each
would hold the other up. ``python -P -m core.view.history RUN_DIR`` says how far it is, a number of bytes a line, then an empty
line, then the :class:`History`; with ``--preview`` before all that a summary of the journal, after its length."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.errors import UNREADABLE
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view import cache, chunks
from core.view.cache import History
from core.view.chunks import CHUNK
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening, summarise

PREVIEW = "--preview"


def read(run: RunFolder, progress: Callable[[int], bool], preview: Callable[[State], None] | None = None) -> History:
    """``progress`` is told how many bytes have been read, and may end it by False, ``preview`` before what a summary knows.
    What was not read, since that process could not be started or failed, is left to the caller: then the history is that of no
    byte."""
    command = [sys.executable, "-P", "-m", "core.view.history", str(run.path.absolute()), *([PREVIEW] if preview else [])]
    quiet = subprocess.DEVNULL
    try:
        child = subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, start_new_session=True)
    except (OSError, ValueError):
        return History(0, opening(run))
    threading.Thread(target=child.wait, daemon=True).start()  # it keeps what it has told, which nobody needs to wait for
    try:
        return _heard(child, progress, preview)
    except (ValueError, *UNREADABLE):
        return History(0, opening(run))


def _heard(child: subprocess.Popen[bytes], progress: Callable[[int], bool], preview: Callable[[State], None] | None) -> History:
    assert child.stdout is not None
    with child.stdout as said:
        if preview:
            preview(msgspec.msgpack.decode(said.read(int(said.readline())), type=State))
        for line in said:
            if line == b"\n":
                break
            if not progress(int(line)):
                child.kill()
        return msgspec.msgpack.decode(said.read(), type=History)


def main() -> None:
    gc.disable()  # events hold no cycles, and nothing else here is many
    run = RunFolder(Path(sys.argv[1]))
    if PREVIEW in sys.argv[2:]:
        data = msgspec.msgpack.encode(summarise(run))
        sys.stdout.buffer.write(b"%d\n%b" % (len(data), data))
        sys.stdout.buffer.flush()
    start = known = cache.load(run) or History(0, opening(run))
    for known in chunks.share(run.journal, start):
        _say(known.offset)
    reader, state = JournalReader(run.journal, known.offset), known.state
    while not reader.at_end:
        state = fold(state, reader.read(CHUNK))
        _say(reader.offset)
    history = History(reader.whole, state)
    sys.stdout.buffer.write(b"\n" + msgspec.msgpack.encode(history))
    sys.stdout.buffer.close()
    cache.keep(run, history)


def _say(offset: int) -> None:
    sys.stdout.buffer.write(b"%d\n" % offset)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
