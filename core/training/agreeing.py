"""What all ranks must do at the same step, decided by the first one: between any two steps they meet for one small tensor.

It says what the first rank was told, whether a window is over, and whether the disk refuses; a signal may have come to any.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import msgspec

from core import commands
from core.commands import Command
from core.errors import TrainingError
from core.events import Event
from core.run.folder import RunFolder
from core.training.control import Control, Refused
from core.training.distributed import Ranks
from core.training.progress import Amendment, Progress
from core.training.rollback import WayBack
from core.training.saver import Saver
from core.training.setup import Setup
from core.training.snapshot import Snapshot, restore


class Due(NamedTuple):
    """What it is time for, by the first rank's clock."""

    window: bool = False
    retry: bool = False


class AgreedControl:
    """The :class:`Control` of all ranks: they hear what the first one was told, at the same step."""

    def __init__(self, ranks: Ranks, control: Control, saver: SharedSaver, clock: Callable[[], tuple[bool, bool]]) -> None:
        self._ranks, self._control, self._saver, self._clock = ranks, control, saver, clock
        self.signal = 0
        self.due = Due()
        self.met = False

    def take(self) -> list[Command]:
        """Meet the others."""
        told = self._control.take() if self._ranks.leads else []
        data = b"\n".join(map(commands.encode, told))
        mine = [self._control.signal, len(data), *self._clock(), self._saver.present_trouble]
        if not self._ranks.leads:
            mine[1:] = [0] * (len(mine) - 1)
        signal, length, window, retry, trouble = self._ranks.together.most([float(value) for value in mine])
        self.met, self.signal, self.due = True, int(signal), Due(bool(window), bool(retry))
        self._saver.agree(int(trouble))
        if length:
            data = self._ranks.together.data(data, int(length))
        return told or [commands.decode(line) for line in data.split(b"\n") if line]

    def wait(self, seconds: float) -> None:
        """The others wait for the first one at the next meeting."""
        if self._ranks.leads:
            self._control.wait(seconds)

    def interrupting(self) -> AbstractContextManager[None]:
        return nullcontext()


class SharedSaver(Saver):
    """Whether the disk refuses is what was agreed at the last meeting."""

    ranks: Ranks
    _agreed: OSError | None = None

    @property
    def trouble(self) -> OSError | None:
        return self._agreed

    @property
    def present_trouble(self) -> int:
        """Number of the error that the disk has for this rank now; 0 for none."""
        trouble = self.own_trouble
        return (trouble.errno or errno.EIO) if trouble else 0

    def agree(self, error: int) -> None:
        """Answer with that one from now on."""
        self._agreed = OSError(error, os.strerror(error), str(self.folder)) if error else None

    def _meet(self) -> None:
        self.agree(int(self.ranks.together.most([float(self.present_trouble)])[0]))


class AgreedSaver(SharedSaver):
    """The first rank's."""

    def retry(self) -> None:
        super().retry()
        self._meet()


class SilentSaver(SharedSaver):
    """Of the other ranks, which write nothing."""

    writes = False

    def __init__(self, run: RunFolder, ranks: Ranks) -> None:
        self.folder, self.identity, self.ranks = run.checkpoints, run.identity(), ranks
        self.failure: TrainingError | None = None

    @property
    def own_trouble(self) -> None:
        return None

    @property
    def busy(self) -> bool:
        return False

    @property
    def holds(self) -> bool:
        return False

    def drain(self) -> Iterator[Event]:
        return iter(())

    def finish(self) -> None:
        """The others wait for the first rank at the next meeting."""

    def retry(self) -> None:
        self._meet()

    def leave_behind(self, checkpoint: str) -> None:
        """It is the first rank that removes checkpoints."""

    def close(self) -> None:
        """There is no thread."""


class _Found(msgspec.Struct):
    back: WayBack | None = None
    refused: str = ""
    failed: tuple[str, str] = ("", "")
    """Kind and reason of a TrainingError."""


def way_back(ranks: Ranks, find: Callable[[], WayBack]) -> WayBack:
    """What the first rank finds, or raises, on all of them."""
    found = _Found()
    if ranks.leads:
        try:
            found.back = find()
        except Refused as refusal:
            found.refused = str(refusal)
        except TrainingError as error:
            found.failed = error.kind, error.reason
    told = ranks.together.data(msgspec.msgpack.encode(found) if ranks.leads else b"")
    found = found if ranks.leads else msgspec.msgpack.decode(told, type=_Found)
    if found.refused:
        raise Refused(found.refused)
    if found.back is None:
        raise TrainingError(*found.failed)
    return found.back


class _Place(msgspec.Struct):
    files: dict[str, bytes]
    again: tuple[Amendment, ...]


def hand_over(ranks: Ranks, setup: Setup, progress: Progress, again: tuple[Amendment, ...]) -> None:
    """The first rank's: give the others all that training begins from, so that only this one reads checkpoints."""
    snapshot = Snapshot(setup.network, setup.optimizer, progress, setup.average, setup.scaler)
    ranks.together.data(msgspec.msgpack.encode(_Place(snapshot.files(setup.world, {}), again)))


def taken_over(ranks: Ranks, setup: Setup) -> tuple[Progress, tuple[Amendment, ...]]:
    """The others'."""
    place = msgspec.msgpack.decode(ranks.together.data(b""), type=_Place)
    saved = restore(place.files, setup.network, setup.optimizer, setup.average, setup.scaler)
    return saved.progress, place.again
