"""Opening files that somebody else may have put there: a plain file is read, and nothing else is even followed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
"""For whatever is opened by a name inside a run folder."""


def open_plain(path: Path, *, follow: bool = False) -> BinaryIO:
    """A plain file opened for reading. Raises OSError, also for a folder, a device, a pipe, which would make its reader wait,
    and for a link unless ``follow``, which is for paths that a user has given."""
    return os.fdopen(_open(path, os.O_RDONLY | (os.O_CLOEXEC if follow else NO_LINK)), "rb")


def open_to_append(path: Path) -> int:
    """The descriptor of a plain file that is added to, and made (0600) where there is none. Raises OSError as
    :func:`open_plain`."""
    return _open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_LINK)


def read_plain(path: Path, largest: int, *, follow: bool = False) -> bytes:
    """All bytes of a plain file of at most ``largest`` bytes. Raises OSError as :func:`open_plain`, also for a larger one."""
    with open_plain(path, follow=follow) as file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise OSError(errno.EFBIG, f"{size:,} bytes, where at most {largest:,} were expected", str(path))
        return file.read(largest)


def read_tail(path: Path, most: int) -> bytes:
    """The last bytes of a plain file, ``most`` at the most. Raises OSError as :func:`open_plain`."""
    with open_plain(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        return file.read(most)


def _open(path: Path, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "a link, where a plain file was expected", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return descriptor
