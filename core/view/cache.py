"""``view.cache`` in a run folder: the fold of a long journal up to a byte, so that whoever looks again need not read it all. It
may be deleted at any time.

Only what a program of this user wrote is taken: it is sealed, and the seal covers the journal (which file, what stands in it)
and the program that folded it."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import msgspec

import core
from core.errors import UNREADABLE
from core.files import open_plain, read_plain, write_whole
from core.run import seal as seals
from core.run.folder import RunFolder
from core.view.state import State

NAME = "view.cache"
LARGEST = 64 << 20
"""Bytes; a State is bounded, and far smaller."""
SEAL = seals.SIZE
HEAD = SEAL + 8
"""Bytes before the State: the seal, and the offset up to which it is folded."""
SAMPLES = 64
"""Places of the journal that are looked at, and so many bytes at each."""
SAMPLE = 4096


class History(msgspec.Struct, frozen=True):
    """``state`` is the fold of the journal up to the byte ``offset``."""

    offset: int
    state: State


def load(run: RunFolder) -> History | None:
    """What was kept, when it is of this journal as it stands, and would be the same if it were made again."""
    try:
        data = read_plain(run.path / NAME, LARGEST)
        seal, offset, body = data[:SEAL], int.from_bytes(data[SEAL:HEAD], "big"), data[HEAD:]
        if seals.holds(seal, *_sealed(run, offset, body)):
            return History(offset, msgspec.msgpack.decode(body, type=State))
    except (OSError, *UNREADABLE):
        pass
    return None


def keep(run: RunFolder, history: History) -> None:
    """Where the folders take it; else the next one reads it all again."""
    try:
        body = msgspec.msgpack.encode(history.state)
        seal = seals.seal(*_sealed(run, history.offset, body))
        write_whole(run.path / NAME, seal + history.offset.to_bytes(HEAD - SEAL, "big") + body)
    except OSError:
        return


def _sealed(run: RunFolder, offset: int, body: bytes) -> tuple[bytes, ...]:
    return _program(), _journal(run, offset), body


def _journal(run: RunFolder, offset: int) -> bytes:
    """The file, and samples of what stands in it before ``offset``."""
    with open_plain(run.journal) as file:
        status = os.fstat(file.fileno())
        if not 0 < offset <= status.st_size:
            raise OSError(f"{run.journal}: shorter than it was")
        places = {min(offset * place // SAMPLES, max(0, offset - SAMPLE)) for place in range(SAMPLES + 1)}
        samples = b"".join(os.pread(file.fileno(), min(SAMPLE, offset - place), place) for place in sorted(places))
    return b"%d %d " % (status.st_ino, offset) + hashlib.sha256(samples).digest()


@cache
def _program() -> bytes:
    """Changes whenever what makes a State does."""
    root = Path(core.__path__[0])
    files = [path for folder in ("view", "events") for path in sorted((root / folder).glob("*.py"))]
    return repr([(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]).encode()
