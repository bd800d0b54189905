"""``media/<sha256>``: what is too large for a line of the journal, each under the SHA-256 of its bytes.

Nothing of a training depends on it, so that it is not synced: a power cut may cost a picture, a kill costs none.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from pathlib import Path

from core.checkpoint import Damaged
from core.errors import TrainingError
from core.files import create, read_plain

NAME = re.compile(r"[0-9a-f]{64}")
TEMPORARY = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]{8}\.tmp")
LARGEST = 8 << 20
"""Bytes of one."""
MOST = 200
MOST_BYTES = 64 << 20
"""Of all of them; the oldest go."""


class Media:
    """The folder, for the run's one writer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trouble = False
        """Whether that something could not be kept has been said."""
        sweep(folder)

    def keep(self, data: bytes) -> str:
        """The name under which it lies there now. Raises OSError, also when the run folder is gone."""
        if len(data) > LARGEST:
            raise TrainingError("error", f"{len(data):,} bytes are too much for {self.folder}")
        name = name_of(data)
        if self.folder.is_symlink() or not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)  # fails where there is something else
        temporary = self.folder / f".{name}.{secrets.token_hex(4)}.tmp"
        try:
            with create(temporary) as file:
                file.write(data)
            temporary.replace(self.folder / name)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._prune()
        return name

    def _prune(self) -> None:
        ages = sorted((path.lstat().st_mtime_ns, path.lstat().st_size, path) for path in listing(self.folder))
        total = 0
        for place, (_, size, path) in enumerate(reversed(ages)):
            total += size
            if place and (place >= MOST or total > MOST_BYTES):
                with suppress(OSError):  # a folder of such a name is not ours
                    path.unlink()


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def listing(folder: Path) -> list[Path]:
    """All that has such a name, whatever it is."""
    return sorted(path for path in _entries(folder) if NAME.fullmatch(path.name))


def leftovers(folder: Path) -> list[Path]:
    """What a killed writer left half-done."""
    return sorted(path for path in _entries(folder) if TEMPORARY.fullmatch(path.name))


def sweep(folder: Path) -> None:
    """Clear that; only for the run's one writer."""
    for leftover in leftovers(folder):
        with suppress(OSError):
            leftover.unlink()


def read(folder: Path, name: str) -> bytes:
    """Raises :class:`Damaged` when it is not there any more, or not what its name says."""
    if not NAME.fullmatch(name):
        raise Damaged(f"{name[:80]!r} is no name of a file in {folder.name}")
    try:
        if folder.is_symlink():
            raise Damaged(f"{folder.name} is a link, where a folder was expected")
        data = read_plain(folder / name, LARGEST)
    except FileNotFoundError:
        raise Damaged("not kept any more") from None
    except OSError as error:
        raise Damaged(str(error.strerror)) from None
    if name_of(data) != name:
        raise Damaged("does not match its SHA-256")
    return data


def _entries(folder: Path) -> list[Path]:
    """None of what a link leads to."""
    try:
        return [] if folder.is_symlink() else list(folder.iterdir())
    except OSError:
        return []
