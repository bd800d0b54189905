"""What a screen looks at in place of a :class:`tui_trainer.feed.Feed` to see a run as it was."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from contextlib import suppress
from typing import NamedTuple

import msgspec

from core.errors import UNREADABLE
from core.run.folder import RunFolder
from core.view.replay import Kind, Moment, Move, Past, receive
from core.view.state import State


class Wanted(NamedTuple):
    kind: Kind
    by: int
    asked: int = 1
    """So many moves are in it."""


class Replay:
    """``start`` and ``stop`` it; it begins at the present. ``move`` returns at once, and what it leads to becomes the ``state``
    as soon as it is known."""

    looked = True

    def __init__(self, run: RunFolder, present: State) -> None:
        self.run = run
        self._moment = Moment(_size(run), _size(run), present)
        self._state, self._share = present, 1.0
        self._wanted: queue.Queue[Wanted | None] = queue.Queue()
        self._later: Wanted | None = None
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._past: Past | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=f"replay-{run.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; thread and process end by themselves."""
        self._stopping.set()
        self._wanted.put(None)
        if self._child is not None:
            self._child.kill()

    def move(self, kind: Kind, by: int = 0) -> None:
        self._wanted.put(Wanted(kind, by))

    @property
    def state(self) -> State:
        if self._failure is not None:
            raise self._failure
        return self._state

    @property
    def share(self) -> float:
        """How much of the journal has been read that a move waits for (1: it waits for none)."""
        return self._share

    @property
    def place(self) -> int:
        """Bytes of the journal that had been written at the moment that is shown."""
        return self._moment.place

    @property
    def at_end(self) -> bool:
        return self._moment.place >= self._moment.end

    @property
    def busy(self) -> bool:
        """Whether a move is under way."""
        return self._wanted.unfinished_tasks > 0

    def _work(self) -> None:
        try:
            self._child = _started(self.run)
            while (wanted := self._next()) is not None:
                self._moment = self._answer(Move(wanted.kind, wanted.by, self._moment.place))
                self._state, self._share = self._moment.state or self._state, 1.0
                self._done(wanted)
        except Exception as error:  # a thread's error would go unseen, and the screen would stand still
            self._failure = error
        finally:
            if self._child is not None:
                _end(self._child)

    def _next(self) -> Wanted | None:
        """What was asked for; the same again and again, as by a key that is held, is one long move."""
        wanted, self._later = self._later or self._wanted.get(), None
        while wanted is not None and not self._wanted.empty():
            later = self._wanted.get()
            if later is None:
                return None
            if later.kind != wanted.kind:
                self._later = later
                break
            wanted = Wanted(later.kind, wanted.by + later.by, wanted.asked + 1)
        return wanted

    def _done(self, wanted: Wanted) -> None:
        for _ in range(wanted.asked):
            self._wanted.task_done()

    def _answer(self, move: Move) -> Moment:
        """By the process beside; where that fails, here."""
        if self._child is not None:
            try:
                return self._asked(self._child, move)
            except (OSError, ValueError, *UNREADABLE):
                _end(self._child)
                self._child = None
        if self._stopping.is_set():
            return self._moment
        self._past = self._past or Past(self.run)
        return self._past.move(move)

    def _asked(self, child: subprocess.Popen[bytes], move: Move) -> Moment:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(msgspec.json.encode(move) + b"\n")
        child.stdin.flush()
        while (moment := receive(child.stdout)).state is None:
            self._share = min(moment.place / max(1, moment.end), 0.99)
        return moment


def _started(run: RunFolder) -> subprocess.Popen[bytes] | None:
    command = [sys.executable, "-P", "-m", "core.view.replay", str(run.path.absolute())]
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True)
    except OSError:
        return None


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        with suppress(OSError):  # what was written last and not taken any more
            pipe.close()  # type: ignore[union-attr]


def _size(run: RunFolder) -> int:
    try:
        return run.journal.stat().st_size
    except OSError:
        return 0
