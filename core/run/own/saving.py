"""A checkpoint that a program writes itself: seen under its name only when its function has returned.

Its folder is named apart from a worker's checkpoints, whose files are known one by one: ``step-00001234-own``."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.events import CheckpointSaved, CommandAccepted, CommandRejected, Event, MessageLogged
from core.files import sync
from core.run.folder import RunFolder
from core.run.own.course import Course, Wanted
from core.run.own.session import Session
from core.run.own.telling import Telling

if TYPE_CHECKING:
    from core.training.ranks import Together

OWN = "own"


class Means(Protocol):
    """What is there to save with."""

    folder: RunFolder | None
    session: Session | None
    together: Together | None

    def say(self, event: Event) -> None: ...


class Saver:
    """``write`` is the program's function; ``ask`` has a checkpoint written later, by whoever calls ``saved`` then."""

    def __init__(self, course: Course, telling: Telling, means: Means) -> None:
        self._course, self._telling, self._means = course, telling, means
        self.write: Callable[[Path], object] | None = None
        self.ask: Callable[[], object] | None = None
        self.everywhere = False
        """Whether all ranks save."""
        self.newest = ""
        """Checkpoint, relative to the run folder."""
        self._asked: list[Wanted] = []

    @property
    def able(self) -> bool:
        return bool(self.write or self.ask)

    @property
    def asked(self) -> bool:
        """Whether one is to be written later."""
        return bool(self._asked)

    def write_wanted(self) -> None:
        while self._course.wanted:
            wanted = self._course.wanted.pop(0)
            if self.ask:
                self._asked.append(wanted)
                self.ask()
                continue
            try:
                self.save(wanted)
            except Exception as error:  # whatever somebody else's function raises
                self._tell_failure(wanted, error)

    def save(self, wanted: Wanted) -> Path | None:
        """Raises whatever the program's function does; None where it is another rank's."""
        means = self._means
        if not self.write or not means.folder or not (means.session or self.everywhere):
            return None
        meet = means.together.wait if means.together and self.everywhere else lambda: None
        saved = write(means.folder, self.write, self._course.step, meet, mine=means.session is not None)
        if saved is None:
            return None
        self._tell(saved, wanted, saved.checkpoint)
        self.newest = f"checkpoints/{saved.checkpoint}"
        return means.folder.checkpoints / saved.checkpoint

    def saved(self, place: Path, size: int) -> None:
        """One that was asked for, or not, has been written elsewhere."""
        saved = CheckpointSaved(checkpoint=place.name, step=self._course.step, bytes=size)
        asked, self._asked = self._asked or [Wanted(f"in {place.parent}")], []
        for wanted in asked:
            self._tell(saved, wanted, str(place))
        self.newest = str(place.absolute())

    def _tell(self, saved: CheckpointSaved, wanted: Wanted, where: str) -> None:
        best = self._telling.best.value is not None and self._telling.best.step == saved.step
        about = {"epoch": self._course.epoch, "name": wanted.name, "reason": wanted.reason, "best": best}
        self._means.say(msgspec.structs.replace(saved, **about))
        if wanted.command:
            note = f"saved {where}"
            self._means.say(CommandAccepted(id=wanted.command, command="Save", step=saved.step, note=note))
        if self._means.session:
            self._means.session.settle()

    def _tell_failure(self, wanted: Wanted, error: Exception) -> None:
        reason = f"not saved: {type(error).__name__}: {error}"
        if self._means.session:
            self._means.session.log(error)
        if wanted.command:
            self._means.say(CommandRejected(id=wanted.command, command="Save", step=self._course.step, reason=reason))
        else:
            self._means.say(MessageLogged(level="error", text=reason))


def write(
    run: RunFolder, function: Callable[[Path], object], step: int, meet: Callable[[], None], mine: bool
) -> CheckpointSaved | None:
    """Call ``function`` with a new folder; ``meet`` waits for the other ranks where they save too, of which one is ``mine`` to
    tell of it. Raises whatever the function raises, and OSError when it has written nothing."""
    started, folder = time.monotonic(), run.checkpoints / f".writing-{step:08d}-{OWN}"
    if mine:
        shutil.rmtree(folder, ignore_errors=True)
    meet()
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        function(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        meet()
    return _published(run, folder, step, time.monotonic() - started) if mine else None


def _published(run: RunFolder, folder: Path, step: int, seconds: float) -> CheckpointSaved:
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not files:
        shutil.rmtree(folder, ignore_errors=True)
        raise OSError("the program's save function wrote nothing into the folder that it was given")
    for path in files:
        sync(path)
    target = _free(run.checkpoints, step)
    folder.rename(target)
    sync(run.checkpoints)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return CheckpointSaved(checkpoint=target.name, step=step, bytes=size, delay=seconds, seconds=seconds)


def _free(folder: Path, step: int) -> Path:
    number, stem = 0, f"step-{step:08d}-{OWN}"
    while (target := folder / (f"{stem}.{number}" if number else stem)).exists():
        number += 1
    return target
