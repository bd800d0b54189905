"""Who trains a run: the one process that holds a ``flock`` on a file in it. The system releases it the moment that process is
gone, whatever killed it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.files import NO_LINK

PAUSE = 0.02
"""Seconds between two attempts; a reader's look at the lock lasts microseconds."""
_taken = set[int]()
"""Descriptors of the locks that this process holds."""


def held(path: Path) -> bool:
    """Whether any process holds the lock now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | NO_LINK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        _unlock(descriptor)
    return False


def take(path: Path, patience: float) -> int:
    """Hold the lock from here on; returns what ``release`` takes. Raises BlockingIOError when another process holds it for
    ``patience`` seconds, another OSError when it cannot be opened."""
    descriptor, deadline = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600), time.monotonic() + patience
    _taken.add(descriptor)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError as error:
            if not isinstance(error, BlockingIOError) or time.monotonic() >= deadline:
                release(descriptor)
                raise
            time.sleep(PAUSE)


@contextmanager
def hold(path: Path, patience: float, busy: Callable[[], UserError], advice: str = "") -> Iterator[None]:
    """Hold the lock meanwhile. Raises what ``busy`` makes when another process does for ``patience`` seconds, and UserError,
    ended by ``advice``, when it cannot be opened."""
    try:
        descriptor = take(path, patience)
    except BlockingIOError:
        raise busy() from None
    except OSError as error:
        raise UserError(f"{path}: cannot be opened: {error.strerror}{advice}") from None
    try:
        yield
    finally:
        release(descriptor)


def release(descriptor: int) -> None:
    if descriptor in _taken:  # not in a forked child, which has let go of it
        _taken.remove(descriptor)
        _unlock(descriptor)


def _unlock(descriptor: int) -> None:
    """Also where a child that was forked at this moment has the descriptor too: closing alone would leave the lock with it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _let_go() -> None:
    """A forked child, a data worker say, would hold its parent's lock for as long as it lives. A program that is started has
    no such descriptor: they are all close-on-exec."""
    while _taken:
        os.close(_taken.pop())


os.register_at_fork(after_in_child=_let_go)
