"""Signals a real run again and again, resumes it, and holds what came of it against the run that nobody touched."""

from __future__ import annotations

import json
import multiprocessing
import re
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

import msgspec

from core import checkpoint
from core.events import CheckpointSaved, CommandAccepted, CommandRejected, RunFinished, RunResumed, RunRewound, RunStopped
from core.run import inbox, journal
from core.run.folder import RunFolder
from core.view.state import State
from core.view.summary import summarise
from tests.core.training import STEPS, fingerprint, last_progress, new_run
from tests.torture import worker
from tests.torture.recipes import TAKEN_BACK, recipe

SESSIONS = multiprocessing.get_context("forkserver")
"""Each session is a process of its own that begins with torch already loaded, which would take most of its time."""
SESSIONS.set_forkserver_preload([worker.__name__])
ONE_AT_A_TIME = Lock()
"""A thread that starts a process also asks after those of the others, and of two that ask at once one gets no answer."""
LONGEST = 120.0
"""Seconds that a session may take before it counts as one that hangs."""
MOST_REDONE = 3 * STEPS
"""A checkpoint is due after each step, but not while one is written. Then the epoch's end waits for its turn, and the next
epoch's end waits for that."""
VARYING = frozenset({
    "seq", "started", "session_started", "last_time", "trained_seconds", "clock", "step_age", "windows", "device_reading",
    "device_readings", "sessions", "messages", "answers", "checkpoints", "weights", "marks", "earlier_measurements",
    "earlier_stopping",
})  # fmt: skip
"""Of a State: times and the machine, and what the kills themselves leave. What was told the run is a mark too, and is held
against each other by itself."""

Outcome: TypeAlias = dict[str, Any]
"""Everything of a finished run that must not depend on what happened to it, by name."""


class Kill(NamedTuple):
    """At ``point``, one of :data:`tests.torture.worker.POINTS`, the ``nth`` time; without a point ``after`` so many seconds,
    with SIGKILL."""

    point: str = ""
    nth: int = 1
    after: float = LONGEST
    signals: tuple[int, ...] = (signal.SIGKILL,)

    @property
    def statuses(self) -> tuple[int, ...]:
        """What a worker may end with that got it; two signals arrive in any order."""
        return tuple(-number if number == signal.SIGKILL else 128 + number for number in self.signals)


class Torture:
    """One run in ``folder``; ``name`` is that of its recipe, which decides what it is told."""

    def __init__(self, folder: Path, name: str) -> None:
        self.run, self.record, self.name = new_run(folder / "run", recipe(name)), folder / "record", name
        self.redone: list[int] = []
        """Steps that each resume took again."""

    def session(self, kill: Kill = Kill()) -> bool:
        """Train until the kill, or the end; whether it was killed. A run that was told to leave without saving goes on. Raises
        AssertionError when it ends in another way, or does not go on from the newest checkpoint that there was."""
        killed = self._session(kill)
        return self.session(kill) if not killed and self._discarded() else killed

    def _session(self, kill: Kill) -> bool:
        newest, begun, earlier = self._newest(), self._begun(), len(self._resumes())
        status = self._train(kill)
        assert status in (0, *kill.statuses), f"status {status}; the log:\n{self.run.log.read_text()}"
        if len(resumes := self._resumes()) > earlier:
            assert resumes[-1].checkpoint == newest, f"resumed at {resumes[-1].checkpoint} instead of {newest}"
            self.redone.append(begun - resumes[-1].step)
            assert self.redone[-1] <= MOST_REDONE, f"{self.redone[-1]} steps were lost"
        return status in kill.statuses

    def finish(self) -> Outcome:
        """Train to the end, undisturbed."""
        assert not self.session()
        self.check_answers()
        return self.outcome()

    def outcome(self) -> Outcome:
        """Of a finished run."""
        last = journal.read_all(self.run.journal)[-1]
        assert isinstance(last, RunFinished), f"ended by {last}"
        return {
            "weights": fingerprint(self.run),
            "progress": last_progress(self.run),
            "steps": self._steps(),
            **history(self.run),
        }

    def check_answers(self) -> None:
        """Raises AssertionError unless every command was answered once, and none waits."""
        answers = Counter(answer.id for answer in journal.find(self.run.journal, CommandAccepted, CommandRejected))
        sent = {identity for (identity,) in self._lines("sent")}
        twice = [identity for identity, times in answers.items() if times > 1]
        assert not twice, f"answered more than once: {twice}"
        assert sent <= answers.keys(), f"never answered: {sent - answers.keys()}"
        assert inbox.waiting(self.run.inbox) == [], "commands still wait"

    def after_signal(self) -> list[str]:
        """What was begun after the last one: steps, and batches of a measurement."""
        kinds = [kind for kind, *_ in map(json.loads, self.record.read_bytes().splitlines())]
        last = len(kinds) - kinds[::-1].index("signal")
        return [kind for kind in kinds[last:] if kind in ("step", "batch")]

    def _train(self, kill: Kill) -> int:
        point = [kill.point, *map(str, (kill.nth, *kill.signals))] if kill.point else []
        told = TAKEN_BACK if self.name == TAKEN_BACK else "changed"
        arguments = [str(self.run.path), str(self.record), told, *point]
        session = SESSIONS.Process(target=worker.session, args=(self.run.log, arguments))
        with ONE_AT_A_TIME:
            session.start()
        if (status := ended(session, kill.after)) is None:
            session.kill()
            status = ended(session, LONGEST)
            assert kill.after < LONGEST, f"hangs; the log:\n{self.run.log.read_text()}"
        assert status is not None
        return status

    def _discarded(self) -> bool:
        last = journal.read_all(self.run.journal)[-1]
        return isinstance(last, RunStopped) and last.discarded

    def _newest(self) -> str:
        """Where to go on from. Raises AssertionError when a checkpoint is gone that a newer one had not replaced."""
        said = journal.find(self.run.journal, CheckpointSaved, RunRewound)
        backs = [event for event in said if isinstance(event, RunRewound)]
        left = checkpoint.position(backs[-1].checkpoint) if backs else (0, 0)
        found = [
            folder.name for folder in checkpoint.listing(self.run.checkpoints)
            if checkpoint.read_manifest(folder).line == len(backs) or checkpoint.position(folder.name) <= left
        ]  # fmt: skip
        newest = found[-1] if found else ""
        since = said[said.index(backs[-1]) :] if backs else said
        announced = max((event.step for event in since), default=-1)
        assert checkpoint.position(newest)[0] >= announced, f"the checkpoint of step {announced} is gone"
        return newest

    def _resumes(self) -> list[RunResumed]:
        return journal.find(self.run.journal, RunResumed)

    def _begun(self) -> int:
        """Steps that were begun so far, since the run was taken back."""
        backs = journal.find(self.run.journal, RunRewound)
        steps = (step + 1 for back, step, *_ in self._lines("step") if back == len(backs))
        return max(steps, default=backs[-1].step if backs else 0)

    def _steps(self) -> dict[tuple[int, int], list[Any]]:
        """Epoch, learning rate and samples of each, by how often the run had been taken back. Raises AssertionError when one
        was taken twice and not alike."""
        found = dict[tuple[int, int], list[Any]]()
        for back, step, *rest in self._lines("step"):
            before = found.setdefault((back, step), rest)
            assert before == rest, f"step {step} was {rest}, had been {before}"
        return found

    def _lines(self, kind: str) -> list[list[Any]]:
        lines = self.record.read_bytes().splitlines() if self.record.exists() else []
        return [rest for first, *rest in map(json.loads, lines) if first == kind]


def ended(session: BaseProcess, seconds: float) -> int | None:
    """Its exit status, the negative number of the signal that ended it, or None when it goes on after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        with ONE_AT_A_TIME:
            if session.exitcode is not None or time.monotonic() > deadline:
                return session.exitcode
        time.sleep(0.02)


def history(run: RunFolder) -> Outcome:
    """What the console shows in the end."""
    state = summarise(run)
    shown = msgspec.to_builtins(state)
    measured = shown["measurements"].items()
    return {
        **{name: value for name, value in shown.items() if name not in VARYING},
        "series": {name: item for name, item in shown["series"].items() if not name.startswith("system.")},
        "metrics": {name: value for name, value in shown["metrics"].items() if not name.startswith("system.")},
        "rows": [{**row, "seconds": 0} for row in shown["rows"]],
        "measurements": {split: {**item, "seconds": 0, "checkpoint": _step(item["checkpoint"])} for split, item in measured},
        "told": _told(state),
    }


def _told(state: State) -> list[tuple[int, str, str]]:
    """Settings, remarks, and where it was taken back to."""
    return sorted(
        (mark.step, mark.kind, _step(mark.text)) for mark in state.marks if mark.kind in ("setting", "remark", "rewind")
    )


def _step(text: str) -> str:
    """A checkpoint's name by its step alone; whether it was the second or third one there depends on how fast the disk was."""
    return re.sub(r"\b(step-\d+)\.\d+", r"\1", text)


def differences(found: Outcome, expected: Outcome) -> list[str]:
    """In words; none when the kills left no trace."""
    names = [name for name in expected if found[name] != expected[name]]
    return [f"{name}: {found[name]!r:.400} instead of {expected[name]!r:.400}" for name in names]
