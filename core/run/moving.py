"""Runs that get another name, are deleted, and come back. One that is being trained stays where it is: whoever moves a run
holds its lock meanwhile. What is deleted lies in ``.trash`` of the runs folder until it is removed for good."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.files import make_folder
from core.run.folder import RunFolder, Taken, check_name, free_name, reference

TRASH = ".trash"
ENTRY = re.compile(r"[0-9]{20}\.(.+)", re.DOTALL)
"""When, in nanoseconds, and the name that it had."""


class Deleted(NamedTuple):
    path: Path
    """Where it lies now."""
    name: str


def rename(run: RunFolder, name: str) -> RunFolder:
    """The run under another name in the same folder. Its run.json and journal keep the name that it began with, as those of a
    copy do. Raises UserError."""
    check_name(name, "name")
    with _at_rest(run, "renamed"):
        return RunFolder(_moved(run.path, run.path.parent / name))


def delete(run: RunFolder) -> Deleted:
    """The run moved to the trash. Raises UserError."""
    trash = run.path.parent / TRASH
    with _at_rest(run, "deleted"):
        if trash.is_symlink():
            raise UserError(f"{trash}: a link, where a folder was expected; remove it")
        with _told(run):
            make_folder(trash)
        return Deleted(_moved(run.path, trash / f"{time.time_ns():020d}.{run.name}"), run.name)


def bring_back(deleted: Deleted) -> RunFolder:
    """Out of the trash, under its own name, or where that is taken by now, one like it. Raises UserError."""
    runs = deleted.path.parent.parent
    while True:
        name = deleted.name if not (runs / deleted.name).exists() else free_name(deleted.name, runs)
        try:
            back = RunFolder(_moved(deleted.path, runs / name))
        except Taken:
            continue  # another process was faster
        _tidy(deleted.path.parent)
        return back


def remove(deleted: Deleted) -> None:
    """For good. Raises UserError where something of it stays."""
    with _told(RunFolder(deleted.path)):
        if deleted.path.is_symlink():
            deleted.path.unlink()
        elif deleted.path.exists():
            shutil.rmtree(deleted.path)
    _tidy(deleted.path.parent)


def in_trash(runs: Path) -> list[Deleted]:
    """What has been deleted from a folder of runs and not been removed yet, the latest last."""
    try:
        entries = sorted(path for path in (runs / TRASH).iterdir() if RunFolder(path).exists())
    except OSError:
        return []
    found = ((path, ENTRY.fullmatch(path.name)) for path in entries)
    return [Deleted(path, match.group(1)) for path, match in found if match]


class Trash:
    """What one process has deleted from a folder of runs, beside what others have left there."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._own: list[Deleted] = []

    def delete(self, run: RunFolder) -> None:
        self._own.append(delete(run))

    @property
    def left(self) -> list[Deleted]:
        """By other processes."""
        return [item for item in in_trash(self.runs) if item not in self._own]

    def bring_back(self) -> tuple[str, RunFolder] | None:
        """The run that was deleted last, here or else elsewhere, with the name that it had; None when there is none. Raises
        UserError."""
        items = self._own or self.left
        if not items:
            return None
        last = items[-1]
        if self._own:
            self._own.pop()
        return last.name, bring_back(last)

    def empty(self) -> int:
        """Remove what this process has deleted, for good; how many runs that were. Raises UserError for one that stays."""
        removed = 0
        while self._own:
            deleted = self._own.pop()
            removed += deleted.path.exists()
            remove(deleted)
        return removed


@contextmanager
def _at_rest(run: RunFolder, verb: str) -> Iterator[None]:
    if run.alive():
        raise UserError(
            f"run '{run.name}' is being trained and cannot be {verb}; end it with: tui-trainer stop {reference(run)}"
        )
    with run.hold(patience=0.2):
        yield


def _moved(source: Path, target: Path) -> Path:
    """Never over something else: the new name is taken first, then what is moved takes the place of that empty folder."""
    with _told(RunFolder(source)):
        try:
            target.mkdir(mode=0o700)
        except FileExistsError:
            raise Taken(f"{target}: exists already; choose another name") from None
        try:
            if source.is_symlink():
                target.rmdir()  # a link cannot take the place of a folder
            source.rename(target)
        except OSError:
            with suppress(OSError):
                target.rmdir()
            raise
    return target


@contextmanager
def _told(run: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{error.filename or run.path}: cannot be moved or removed: {error.strerror}") from None


def _tidy(trash: Path) -> None:
    """An empty trash goes too."""
    with suppress(OSError):
        trash.rmdir()
