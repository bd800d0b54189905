"""A disk that takes nothing: which errors may pass, what is kept back for that time, and whether a run fits at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from core import checkpoint
from core.errors import TrainingError, UserError
from core.files import write_whole
from core.view.words import format_bytes

PASSING: dict[int, str] = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota used up",
    errno.EFBIG: "file-size limit reached",
    errno.EROFS: "disk read-only",
    errno.EACCES: "no permission to write",
    errno.EPERM: "no permission to write",
    errno.EIO: "disk error",
}
"""What keeps a disk from taking anything and may be mended while a training waits, in words."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
RESERVED = 1 << 20
"""Bytes."""


def passes(error: OSError) -> bool:
    """Whether it is worth waiting for the end of this trouble."""
    return error.errno in PASSING


def words(error: OSError) -> str:
    """The trouble in two or three words."""
    return PASSING.get(error.errno or 0, error.strerror or str(error))


def lasting(error: OSError) -> TrainingError:
    """What a training ends with that no waiting helps."""
    return TrainingError("disk", f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


def gone(folder: Path) -> OSError:
    """What a run meets whose folder is no longer where it was; it is not made again."""
    return FileNotFoundError(errno.ENOENT, "the run folder was deleted or moved away", str(folder))


def free_bytes(folder: Path) -> int | None:
    """None where the file system does not tell."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free if usage.total else None


def check_room(folder: Path, size: int, keep: int) -> str:
    """What to warn of when not all checkpoints of about ``size`` bytes fit that a run has at a time (the last ``keep``, the
    best one, and one being written), else nothing. Raises UserError when not even one fits beside a first."""
    free, there = free_bytes(folder), len(checkpoint.listing(folder))
    if free is None:
        return ""
    room, needed = f"{folder}: {format_bytes(free)} free", max(2 - there, 1)
    if free < needed * size:
        raise UserError(
            f"{room}, and the run needs {format_bytes(needed * size)} there for its checkpoints; make room, or begin it in "
            "another --runs folder"
        )
    if free < (keep + 2 - there) * size:
        return f"{room}, and the run will take up to {format_bytes((keep + 2 - there) * size)} more there for its checkpoints"
    return ""


class Reserve:
    """A file that only takes room, to be given up when the disk is full, so that the journal can still say why.

    Its bytes are random, since some file systems store zeros or repetitions as nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Also shows that the run folder can be written: raises UserError when it cannot."""
        try:
            write_whole(self.path, os.urandom(RESERVED))
        except OSError as error:
            what = f"{words(error)} ({error.strerror})" if passes(error) else error.strerror
            raise UserError(f"{self.path.parent}: cannot be written: {what}; mend that, then resume") from None

    def release(self) -> bool:
        """Whether there is more room now."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True

    def restore(self) -> None:
        """Make it again where it was given up and there is plenty of room."""
        if self.path.exists():
            return
        free = free_bytes(self.path.parent)
        if free is None or free > 4 * RESERVED:
            with contextlib.suppress(UserError):
                self.make()
