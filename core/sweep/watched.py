"""A trial's run as its sweep sees it: from the outside, by its journal and its lock, like any other viewer."""

from __future__ import annotations

import math
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal, TypeAlias

from core import commands
from core.errors import UserError
from core.events import RunResumed, RunStarted, RunStopped
from core.run import inbox, journal
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening, with_liveness

Worker: TypeAlias = "subprocess.Popen[bytes]"
Verdict: TypeAlias = Literal["finished", "failed", "left", "waits"]
"""``left``: a person ended it. ``waits``: it can go on from its last checkpoint, and nobody asked it to stop for good."""


class WatchedRun:
    """``worker`` where this process started it; else somebody else trains it."""

    def __init__(self, run: RunFolder, metric: str, worker: Worker | None) -> None:
        self.run, self.worker, self._metric = run, worker, metric
        self._reader, self._state = JournalReader(run.journal), opening(run)

    def look(self) -> bool:
        """Read on; whether it is over, and all of its journal has been read."""
        gone = self.worker.poll() is not None if self.worker else not self.run.alive()
        self._state = fold(self._state, self._reader.read())
        return gone and self._reader.at_end

    @property
    def state(self) -> State:
        """As it is when nobody trains it any more."""
        return with_liveness(self._state, alive=False)

    @property
    def seconds(self) -> float:
        return self._state.trained_seconds

    def measured(self, after: int = 0) -> Iterator[tuple[int, float]]:
        """Epochs and what the held-out images gave then."""
        for row in self._state.rows:
            # Where all classes are of one size the balanced accuracy is the accuracy, and need not be told.
            value = row.metrics.get(self._metric, row.metrics.get(self._metric.replace("balanced_", "")))
            if row.epoch > after and value is not None:
                yield row.epoch, value

    def result(self, of_the_best: bool) -> tuple[int, float] | None:
        """The epoch whose weights count, and what the held-out images gave then."""
        found = {epoch: value for epoch, value in self.measured() if math.isfinite(value)}
        epoch = self._state.stopping.best_epoch if of_the_best else max(found, default=0)
        return (epoch, found[epoch]) if epoch in found else None

    def leave(self, number: int) -> None:
        """With a checkpoint; a second time, at once. What somebody else trains is left to them."""
        if self.worker:
            self.worker.send_signal(number)

    def stop(self, remark: str) -> None:
        """By its own command, with a remark that says why."""
        self._send(commands.Remark(text=remark[: commands.LONGEST_REMARK]))
        self._send(commands.Stop())

    def _send(self, command: commands.Command) -> None:
        with suppress(UserError):  # it is over anyway
            inbox.send(self.run, command)

    def verdict(self) -> tuple[Verdict, str]:
        """What came of it, once it is over, with a word why."""
        state = self.state
        if state.status in ("finished", "early-stopped"):
            return "finished", ""
        if state.refusal and not asked_by_signal(state.refusal):
            return "failed", f"not resumed: {state.refusal}"
        if state.status == "failed":
            return "failed", state.ending
        if state.status in ("stopped", "discarded") and not signal_of(self.run):
            return "left", f"{state.status} by a person"
        return "waits", state.ending or _died_of(self.worker)


def asked_by_signal(words: str) -> bool:
    return words.startswith("signal ")


def signal_of(run: RunFolder) -> int:
    """Which signal ended its last session; 0 where none did, or it goes on."""
    ends = journal.find(run.journal, RunStopped, RunResumed, RunStarted)
    return ends[-1].signal if ends and isinstance(ends[-1], RunStopped) else 0


def _died_of(worker: Worker | None) -> str:
    if worker is None or not worker.returncode or worker.returncode > 0:
        return "its trainer is gone without a word"
    with suppress(ValueError):
        return f"its trainer was ended by {signal.Signals(-worker.returncode).name}"
    return f"its trainer was ended by signal {-worker.returncode}"
