"""Files and folders of our own, for their owner alone whatever the umask; and files that somebody else may have put there: a
plain one is read, and nothing else is even followed, unless a person has named it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

from core.errors import UserError

NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
"""For whatever is opened by a name inside a run folder."""
BLOCK = 1 << 20
"""Bytes that are read from a pipe at a time."""

LAST_LINE = 4096
"""Bytes in which it is looked for."""


def make_folder(path: Path) -> None:
    """A folder, and what is missing above it, each 0700: who may write in a folder can put something else in the place of what
    lies there, and what lies there is read again, trained on, or run. Raises OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)


def create(path: Path) -> BinaryIO:
    """A new file (0600) to be written. Raises OSError, also where anything of that name is already."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o600), "wb")


def create_whole(path: Path, data: bytes) -> None:
    """A new file as :func:`create` makes it, whose bytes survive a power cut. Raises OSError."""
    with create(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def check_free(path: Path, force: bool, advice: str) -> None:
    """Only a plain file is ever written over, and only when that was asked for (``force``); else raises UserError, which
    ``advice`` ends."""
    if not os.path.lexists(path):
        return
    if not path.is_file():
        raise UserError(f"{path}: not a plain file; {advice.partition(',')[0]}")
    if not force:
        raise UserError(f"{path}: exists already; {advice}")


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
            raise _too_large(path, f"{size:,} bytes", largest)
        return file.read(largest)


def read_named(path: Path, largest: int) -> bytes:
    """All bytes of what a person has named: of a plain file as :func:`read_plain`, through links too, and of a pipe or a
    device up to its end, which is waited for. Raises OSError, also for more than ``largest`` bytes."""
    if path.is_file():
        return read_plain(path, largest, follow=True)
    data = bytearray()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            data += block
            if len(data) > largest:
                raise _too_large(path, "more", largest)
    return bytes(data)


def read_tail(path: Path, most: int, since: int = 0) -> bytes:
    """The last bytes of a plain file, ``most`` at the most, and none of its first ``since`` ones. Raises OSError as
    :func:`open_plain`."""
    with open_plain(path) as file:
        file.seek(max(since, os.fstat(file.fileno()).st_size - most))
        return file.read(most)


def last_line(path: Path, since: int = 0) -> str:
    """The last line of a log that says something, behind its first ``since`` bytes. Empty where there is none."""
    try:
        lines = read_tail(path, LAST_LINE, since).decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def _too_large(path: Path, size: str, largest: int) -> OSError:
    return OSError(errno.EFBIG, f"{size}, where at most {largest:,} bytes were expected", str(path))


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


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file in one step: readers see the old bytes or the new ones, a crash leaves one of the two."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        create_whole(temporary, data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file's bytes, or the renames and new names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
