"""How far a run has been given on to a tool: a small file in the run folder for each tool and place, with a lock beside it for
the one process that does so."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager

import msgspec

from core.errors import UNREADABLE, UserError
from core.files import make_folder, read_plain, write_whole
from core.run import lock
from core.run.folder import RunFolder
from tui_trainer.trackers._base import masked

FOLDER = "trackers"
LARGEST = 64 << 10
"""Bytes."""


class Place(msgspec.Struct, frozen=True):
    """Of a run's journal, as a tool has it."""

    run: str = ""
    """Where it lies: a copy of it is another run for the tool, and so is one that was renamed."""
    place: str = ""
    """A hash of the tool's, which may hold a password that this folder is not to tell."""
    id: str = ""
    """The run's, there."""
    described: bool = False
    """Whether the tool has been told what the run is."""
    seq: int = -1
    """Up to this event everything has been given."""
    step: int = 0
    """The furthest step of which something has been given."""
    first: int = 0
    """The first event of that step."""
    offset: int = 0
    """A byte before that event, at which reading goes on."""
    rewinds: int = 0
    """How often something that had been given was taken back."""
    hint: str = ""
    """How the run is looked at there."""
    ended: str = ""
    """The run's status, where the tool has been told that it ended."""


class PlaceFile:
    """Where that is kept."""

    def __init__(self, run: RunFolder, kind: str, place: str) -> None:
        self.folder = run.path / FOLDER
        known = hashlib.sha256(masked(place).encode("utf-8", "surrogateescape")).hexdigest()
        self._beginning = Place(str(run.path.resolve()), known)
        stem = f"{kind}-{known[:8]}"
        self._file, self._lock, self.log = (self.folder / f"{stem}.{end}" for end in ("json", "lock", "log"))

    def make_folder(self) -> None:
        """Raises UserError where something else is in its place."""
        try:
            if self.folder.is_symlink():
                raise UserError(f"{self.folder}: a link, where a folder was expected; remove it")
            make_folder(self.folder)
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be made: {error.strerror}") from None

    def read(self) -> Place:
        """From the beginning where there is none, or it is damaged: what a tool has then it gets again, as another run."""
        start = self._beginning
        try:
            found = msgspec.json.decode(read_plain(self._file, LARGEST), type=Place)
        except (OSError, *UNREADABLE):
            return start
        return found if (found.run, found.place) == (start.run, start.place) and found.offset >= 0 else start

    def write(self, place: Place) -> None:
        """Raises OSError."""
        write_whole(self._file, msgspec.json.encode(place) + b"\n")

    def busy(self) -> bool:
        """Whether a process does it now."""
        return lock.held(self._lock)

    def hold(self, patience: float) -> AbstractContextManager[None]:
        """Raises UserError where another process has been doing it all that time."""
        already = f"another process is logging this run there already; its words are in {self.log}"
        return lock.hold(self._lock, patience, lambda: UserError(already))
