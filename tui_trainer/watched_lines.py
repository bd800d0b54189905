"""What others wrote, as lines for a pipe or a log: how each run stands, then what is new."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core import events as e
from core.errors import UserError
from core.events import Event, from_number
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view import outcome, readings
from core.view.comparing.scalars import scalars
from core.view.fold import fold
from core.view.readings import format_metric
from core.view.state import State
from core.watching.sources import WANTED
from core.watching.watching import Watching
from tui_trainer.narrator import happening
from tui_trainer.run_rows import best
from tui_trainer.stream import write_json, write_lines

INTERVAL = 0.1
"""Seconds between two looks at what was read."""
SAID = 30.0
"""Seconds after which the latest step is said, where nothing else was."""
SOON = 1.0
"""The same once something has been measured."""
MOST_SCALARS = 8
"""In a line."""


def follow(found: Watching, paths: Sequence[Path], json: bool) -> None:
    """Until it is interrupted. Raises UserError when reading has failed."""
    from tui_trainer.cli.say import complain

    followed = dict[str, Followed]()
    if not found.found:
        complain(f"nothing to watch yet; waiting for {WANTED} in {', '.join(map(str, paths))}")
    while found.process.poll() is None:
        for run in found.runs:
            followed.setdefault(run.name, Followed(run))
        new = [item.json() if json else item.lines(several=len(followed) > 1) for item in followed.values()]
        if not any(new):
            time.sleep(INTERVAL)
    raise UserError(f"the files cannot be read any more: {found.last_words()}")


class Followed:
    """One run."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._reader, self._state = JournalReader(run.journal), State(name=run.name)
        self._begun, self._said, self._told = False, time.monotonic(), -1
        self._due = False
        """Whether something was measured since, where no epochs are counted."""

    def json(self) -> bool:
        """The events, each with the run's name before all else."""
        told = self._reader.read_lines()
        name = b'{"watched":' + msgspec.json.encode(self.run.name) + b","
        if told:
            write_json(sys.stdout.buffer, b"".join(name + line[1:] + b"\n" for line, _ in told))
        return bool(told)

    def lines(self, several: bool) -> bool:
        """Whether there was anything to read."""
        told = self._reader.read()
        said = [] if not self._begun else [line for event in told for line in self._lines(event)]
        if not self._begun:
            self._state = fold(self._state, told)
            if self._reader.at_end and self._state.origin and self._state.phase is None:
                self._begun = True
                said = [f"{self._state.origin}, {self._state.data}", *self._messages(), present(self._state)]
        elif not said and self._state.seq > self._told and time.monotonic() - self._said > (SOON if self._due else SAID):
            said = [present(self._state)]
        if said:
            self._said, self._told, self._due = time.monotonic(), self._state.seq, False
            write_lines(sys.stdout, [f"{self.run.name}: {line}" if several else line for line in said])
        return bool(told)

    def _messages(self) -> Iterator[str]:
        yield from (message.text for message in self._state.messages)

    def _lines(self, event: Event) -> Iterator[str]:
        self._state = fold(self._state, [event])
        match event:
            case e.EpochDone():
                yield present(self._state)
            case e.StepDone(epoch=0):
                self._due = self._due or any(name.startswith(("val.", "test.")) for name in event.metrics)
            case e.RunRewound() | e.MessageLogged():
                yield from happening(event)


def present(state: State) -> str:
    """Where it is, and the latest value of its scalars."""
    names = scalars([state])[:MOST_SCALARS]
    return "  ".join([outcome.place(state), *(f"{name} {format_metric(name, state.metrics.get(name))}" for name in names)])


def document(run: RunFolder, state: State) -> dict[str, Any]:
    """How it stands, for ``--once --json``."""
    return {
        "name": run.name,
        "path": state.data,
        "origin": state.origin,
        "step": state.step,
        "epoch": state.epoch,
        "best": best(state),
        "newest": state.last_time,
        "metrics": {name: from_number(value) for name, value in state.metrics.items()},
        "messages": [msgspec.to_builtins(message) for message in state.messages],
    }


def facts(run: RunFolder, state: State, now: float) -> list[tuple[str, str]]:
    """The same in words."""
    sentence = readings.stopping_sentence(state) if state.stopping.best is not None else ""
    return [
        ("run", run.name),
        ("files", state.data),
        ("read from", readings.origin(state, now)),
        ("at", outcome.place(state)),
        ("trained", readings.format_duration(state.trained_seconds) if state.trained_seconds else ""),
        ("best", sentence.removeprefix("best ")),
        *((name, format_metric(name, state.metrics[name])) for name in scalars([state]) if name in state.metrics),
        *(("note", message.text) for message in state.messages),
    ]
