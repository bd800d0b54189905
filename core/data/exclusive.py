"""How processes take turns at building something in the cache."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.files import NO_LINK, make_folder


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Be the only process that builds ``path`` (a file or folder in the cache; its parent is made).

    While another one does, ``waiting`` is called ten times a second; an exception raised in it ends the wait.
    Raises UserError when the cache cannot be written.
    """
    with writable(path):
        make_folder(path.parent)
        descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
    try:
        while not _lock(descriptor):
            waiting()
            time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turns an OSError of writing ``path`` into a UserError that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        advice = "free some space there, or set TUI_TRAINER_CACHE to another folder"
        raise UserError(f"cache {error.filename or str(path)!r}: cannot be written: {reason}; {advice}") from error


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
