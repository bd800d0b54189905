"""A run told beside its screen: in the terminal's title and in the progress of its tab, and at the end by its bell and a
notification. One and the same for the console and for what is printed without it."""

from __future__ import annotations

import math
from typing import NamedTuple

from core.view import outcome, readings
from core.view.state import State
from tui_trainer import terminal
from tui_trainer.terminal import Abilities, Progress

PACE = 1.0
"""Seconds between two changes that are written."""
AGAIN = 10.0
"""Seconds after which the progress of a run that goes on is written again: Ghostty takes it away after 15."""
RINGS = frozenset({"finished", "early-stopped", "failed", "lost"})
"""Endings that nobody asked for at that moment: who stops a run knows of it."""


class Shown(NamedTuple):
    """What stands outside of the screen at a moment."""

    title: str = ""
    progress: Progress = "none"
    percent: int = 0


class Outside:
    """``show`` and ``restore`` return the control codes to write, often none; whoever calls them writes them, between two
    frames. ``notifies``: whether an end is told by bell and notification."""

    def __init__(self, abilities: Abilities, notifies: bool) -> None:
        self._can, self._notifies = abilities, notifies
        self._shown: Shown | None = None
        self._written = self._reported = -math.inf
        """When anything was written, and when the progress was."""
        self._living = False

    def show(self, name: str, state: State, now: float) -> str:
        """A run as it is at a moment (monotonic seconds). An end is told at once, and only of a run that was seen alive."""
        ended, self._living = self._living and state.ended, not state.ended
        if not ended and now - self._written < PACE:
            return ""
        before, after = self._shown, shown(name, state)
        codes = self._title(before, after) + self._progress(before, after, now)
        if codes:
            self._shown, self._written = after, now
        return codes + (self._end(name, state) if ended else "")

    def restore(self) -> str:
        """As it was before the first ``show``; nothing when nothing had been changed."""
        before, self._shown, self._living = self._shown, None, False
        self._written = self._reported = -math.inf
        if before is None:
            return ""
        progress = terminal.progress("none", 0) if self._can.progress and before.progress != "none" else ""
        return progress + (terminal.RESTORE_TITLE if self._can.title else "")

    def _title(self, before: Shown | None, after: Shown) -> str:
        if not self._can.title or (before and before.title == after.title):
            return ""
        return ("" if before else terminal.SAVE_TITLE) + terminal.title(after.title)

    def _progress(self, before: Shown | None, after: Shown, now: float) -> str:
        fades = after.progress != "none" and self._living and now - self._reported >= AGAIN
        same = (before or Shown())[1:] == after[1:]
        if not self._can.progress or (same and not fades):
            return ""
        self._reported = now
        return terminal.progress(after.progress, after.percent)

    def _end(self, name: str, state: State) -> str:
        if not self._notifies or state.status not in RINGS or state.refusal:
            return ""
        bell = terminal.BELL if self._can.bell else ""
        return bell + terminal.notification(self._can.notification, name, outcome.outcome(state))


def shown(name: str, state: State) -> Shown:
    progress = _progress_of(state)
    return Shown(_title_words(name, state), progress, int(100 * readings.run_fraction(state)) if progress != "none" else 0)


def _progress_of(state: State) -> Progress:
    if state.ended:
        return "failed" if state.status in ("failed", "lost") else "none"
    if not state.total_steps:  # it is not known yet how long it will be
        return "none"
    return "paused" if state.status == "paused" else "going"


def _title_words(name: str, state: State) -> str:
    """``seed-2 · epoch 3/9 · 93.1 %``; a state other than running comes before the epoch, and takes its place at the end."""
    status = "" if state.status == "running" else state.status
    epoch = readings.epoch_words(state) if state.epoch and not state.ended else ""
    metric = outcome.accuracy(state)
    value = state.metrics[metric] if metric else math.nan
    accuracy = f"{100 * value:.1f} %" if math.isfinite(value) else ""
    return " · ".join(filter(None, (name, status, epoch, accuracy)))
