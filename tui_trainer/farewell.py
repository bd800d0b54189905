"""What stands on the terminal after the console has closed: the run, what became of it, and the command that comes next. The
same figures as ``train`` prints at its end, in five lines at the most."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from rich.text import Text

from core.run.folder import RunFolder, reference, whereabouts
from core.view import outcome
from core.view.readings import epoch_words, format_metric, monitor
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.result import DONE, next_commands

Pair: TypeAlias = tuple[str, str]
"""A label and its words."""
LABEL = 9
"""Columns."""
MOST_RUNS = 3


@runtime_checkable
class Parting(Protocol):
    """A screen that has something to say after the console is gone."""

    def farewell(self) -> list[str]: ...


def parting(screens: Iterable[object]) -> Text | None:
    """Of the first of these screens that has anything to say."""
    said = (screen.farewell() for screen in screens if isinstance(screen, Parting))
    lines = next(filter(None, said), None)
    return Text("\n".join(lines)) if lines else None


def of_run(run: RunFolder, state: State, stopping: bool = False) -> list[str]:
    """``stopping``: it was told to, and has not done so yet."""
    if state.origin:
        return _aligned([("run", f"{run.name}: watched, {outcome.place(state)}"), ("next", of_others(state))])
    if state.ended:
        return _aligned(_ended(run, state))
    if stopping:
        return _aligned([("run", f"{run.name}: saves, then stops"), ("next", f"tui-trainer show {reference(run)}")])
    return of_living([(run, state)])


def of_others(state: State) -> str:
    """The command to look at a run of others again."""
    return f"tui-trainer watch {shlex.quote(state.data) if state.data else '...'}"


def of_living(runs: Sequence[tuple[RunFolder, State]]) -> list[str]:
    """Runs that go on without the console; none for none."""
    pairs = [("run", f"{run.name}: {_goes_on(state)}") for run, state in runs[:MOST_RUNS]]
    if len(runs) > MOST_RUNS:
        pairs.append(("", f"and {len(runs) - MOST_RUNS} more"))
    return _aligned([*pairs, ("next", f"come back with: tui-trainer attach {reference(runs[0][0])}")]) if runs else []


def _ended(run: RunFolder, state: State) -> Iterator[Pair]:
    yield "run", run.name
    yield "result", ", ".join(filter(None, (outcome.ending_words(state), outcome.accuracy_words(state)))) + _with_tta(state)
    if state.stopping.best is not None:
        yield "best", _best(state)
    if state.weights:
        yield "weights", whereabouts(run, state.weights)
    yield "next", next_commands(run, state)[0 if state.status in DONE else -1]


def _best(state: State) -> str:
    return f"{monitor(state)} {format_metric(monitor(state), state.stopping.best)} at epoch {state.stopping.best_epoch}"


def _with_tta(state: State) -> str:
    name = "test.tta_accuracy"
    return f" ({format_metric(name, state.metrics[name])} with TTA)" if name in state.metrics else ""


def _goes_on(state: State) -> str:
    epoch = epoch_words(state) if state.epoch else ""
    status = "it stays paused" if state.paused else "it waits until it can save" if state.hindrance else "training goes on"
    return ", ".join(filter(None, (status, epoch, outcome.accuracy_words(state))))


def _aligned(pairs: Iterable[Pair]) -> list[str]:
    """Safe to print; a text of several lines takes one."""
    return [f"{label:<{LABEL}}{printable(' '.join(words.split()))}" for label, words in pairs]
