"""Where a queue lies: ``.queue`` of the runs folder. ``queue.json`` is all of it, ``lock`` is held for a moment by whoever
changes that file, ``runner.lock`` by the one process that begins its runs, and ``runner.log`` is what that one has said."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from core.errors import UNREADABLE, UserError
from core.files import make_folder, read_plain, write_whole
from core.format import Newer, decode
from core.queue.entries import MOST, Entry, QueueFile
from core.run import lock
from core.run.folder import RunFolder, default_runs

FOLDER = ".queue"
LARGEST = 32 << 20
"""Bytes of its file."""
PATIENCE = 30.0
"""Seconds for another process to have written it."""


class QueueFolder:
    """Paths of one queue; holds no state of its own."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.path = runs / FOLDER
        self.file = self.path / "queue.json"
        self.lock = self.path / "lock"
        self.runner_lock = self.path / "runner.lock"
        self.log = self.path / "runner.log"

    def run(self, entry: Entry) -> RunFolder:
        return RunFolder(self.runs / entry.name)

    def is_run_of(self, entry: Entry) -> bool:
        """Whether what lies there under its name is the run that it became."""
        try:
            described = self.run(entry).read()
        except UserError:
            return False
        return described.id == entry.run if entry.run else described.recipe == entry.recipe

    @property
    def conducted(self) -> bool:
        """Whether a process begins its runs now."""
        return lock.held(self.runner_lock)

    def read(self) -> tuple[Entry, ...]:
        """None where there is no queue. Raises UserError when it is damaged, or a later version's."""
        try:
            entries = decode(read_plain(self.file, LARGEST), QueueFile).entries
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise UserError(f"{self.file}: cannot be read: {error.strerror}") from None
        except Newer as error:
            raise UserError(f"{self.file}: {error}; update tui-trainer to use this queue") from None
        except UNREADABLE as error:
            raise UserError(f"{self.file}: damaged ({error}); move it away to begin a new queue") from None
        if len({entry.id for entry in entries}) < len(entries):
            raise UserError(f"{self.file}: damaged (two entries of one id); move it away to begin a new queue")
        return entries

    @contextmanager
    def edit(self) -> Iterator[list[Entry]]:
        """Its entries, to be changed in place while nobody else does; they are written where they did change. Raises UserError,
        and OSError where they cannot be written: the file is as before then."""
        if self.path.is_symlink():
            raise UserError(f"{self.path}: a link, where a folder was expected; remove it")
        make_folder(self.path)
        with self._locked():
            before = self.read()
            entries = list(before)
            yield entries
            if tuple(entries) != before:
                self._write(entries)

    def _write(self, entries: list[Entry]) -> None:
        if len(entries) > MOST:
            raise UserError(f"queue: {len(entries)} entries, where at most {MOST} were expected; tui-trainer queue clear")
        data = msgspec.json.format(msgspec.json.encode(QueueFile(entries=tuple(entries))), indent=1)
        if len(data) > LARGEST:
            raise UserError(f"queue: {len(data):,} bytes, where at most {LARGEST:,} were expected; tui-trainer queue clear")
        write_whole(self.file, data + b"\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            descriptor = lock.take(self.lock, PATIENCE)
        except BlockingIOError:
            raise UserError(f"{self.lock}: held by another process for {PATIENCE:.0f} s; try again") from None
        try:
            yield
        finally:
            lock.release(descriptor)


def command(queue: QueueFolder, words: str = "") -> str:
    """How a command names the queue, for people."""
    runs = "" if queue.runs == default_runs() else f" --runs {shlex.quote(str(queue.runs))}"
    return f"tui-trainer queue{words and f' {words}'}{runs}"


def busy(queue: QueueFolder) -> UserError:
    return UserError(f"the queue of {queue.runs} is being run by another process; look at it with: {command(queue)}")
