"""What ``train`` and ``resume`` print without a console: JSON lines, plain lines, or only the result. All of them fold the
same journal as the console does; :mod:`tui_trainer.live` adds a progress display for terminals."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import BinaryIO, Literal, NamedTuple, Protocol, TextIO, TypeAlias

from core.events import Event
from core.run.folder import RunFolder
from core.view.fold import fold
from core.view.readings import stale, trouble
from core.view.state import State
from tui_trainer.narrator import LONG_PHASE, ROUTINE, Narrator, phase_words, progress_line
from tui_trainer.result import result_lines
from tui_trainer.stream import wants_live, write_json, write_lines

PROGRESS_SECONDS = 30.0
"""A long epoch says at least this often how far it is."""

Told: TypeAlias = Sequence[tuple[bytes, Event]]
Form: TypeAlias = Literal["lines", "json", "quiet"]


class Output(Protocol):
    """Takes the journal as it grows. ``tick`` is called several times a second, ``end`` once the trainer is
    gone, with the last State, ``close`` in any case."""

    @property
    def state(self) -> State: ...
    def feed(self, told: Told) -> None: ...
    def tick(self) -> None: ...
    def end(self, state: State) -> None: ...
    def close(self) -> None: ...


def output(form: Form, run: RunFolder, state: State) -> Output:
    """What fits the request and the standard output; ``state`` is what was known before the first event to come."""
    if form == "json":
        return JsonLines(state, sys.stdout.buffer)
    if form == "quiet":
        return Result(run, state, sys.stdout)
    if wants_live(sys.stdout):
        from tui_trainer.live import LiveProgress

        return LiveProgress(run, state)
    return PlainLines(run, state, sys.stdout)


class JsonLines:
    """The journal's own lines, and nothing else; what does not print is escaped as JSON has it."""

    def __init__(self, state: State, stream: BinaryIO) -> None:
        self.state, self._stream = state, stream

    def feed(self, told: Told) -> None:
        self.state = fold(self.state, [event for _, event in told])
        write_json(self._stream, b"".join(line + b"\n" for line, _ in told))

    def tick(self) -> None:
        pass

    def end(self, state: State) -> None:
        pass

    def close(self) -> None:
        pass


class Silent:
    """Nothing at all."""

    def __init__(self, run: RunFolder, state: State) -> None:
        self.run, self.state = run, state

    def feed(self, told: Told) -> None:
        self.state = fold(self.state, [event for _, event in told])

    def tick(self) -> None:
        pass

    def end(self, state: State) -> None:
        pass

    def close(self) -> None:
        pass


class Result(Silent):
    """Nothing until the end, then how it ended."""

    def __init__(self, run: RunFolder, state: State, stream: TextIO) -> None:
        super().__init__(run, state)
        self._stream = stream

    def end(self, state: State) -> None:
        write_lines(self._stream, result_lines(self.run, state))


class _Standing(NamedTuple):
    """What was said last of whether all is well: it is said again when that changes, not as its seconds grow."""

    troubled: bool
    silent: bool


class PlainLines:
    """One line an epoch, a progress line in between when nothing else was said, the result at the end."""

    def __init__(self, run: RunFolder, state: State, stream: TextIO) -> None:
        self.run, self._stream = run, stream
        self._narrator = Narrator(state)
        self._said = time.monotonic()
        self._announced = 0.0
        self._standing = _Standing(False, False)

    @property
    def state(self) -> State:
        return self._narrator.state

    def feed(self, told: Told) -> None:
        self._say(self._narrator.tell([event for _, event in told]))

    def tick(self) -> None:
        phase, now = self.state.phase, time.time()
        words = trouble(self.state, now)
        if (standing := _Standing(bool(words), stale(self.state, now) is not None)) != self._standing:
            self._standing = standing
            self._say([f"{words or 'goes on'}, at step {self.state.step}"])
        elif words:
            return
        elif phase and phase.name not in ROUTINE and phase.started != self._announced and now - phase.started > LONG_PHASE:
            self._announced = phase.started
            self._say([f"{phase_words(self.state)} ..."])
        elif time.monotonic() - self._said > PROGRESS_SECONDS and self.state.status in ("running", "preparing"):
            self._say([progress_line(self.state, now)])

    def end(self, state: State) -> None:
        self._say(result_lines(self.run, state))

    def close(self) -> None:
        pass

    def _say(self, lines: list[str]) -> None:
        if lines:
            write_lines(self._stream, lines)
            self._said = time.monotonic()
