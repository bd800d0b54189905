"""The process that conducts a sweep: this one, or one that outlives it, which is the command line once more."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from msgspec.structs import replace

from core.sweep.conductor import Conductor
from core.sweep.folder import SweepFile, SweepFolder, busy, reference
from core.sweep.told import SweepEnded
from core.view.state import State
from core.view.summary import summarise
from tui_trainer import background
from tui_trainer.cli import require
from tui_trainer.cli.require import Requirement
from tui_trainer.cli.say import complain
from tui_trainer.cli.sweep_lines import Printer
from tui_trainer.plain import Form


def begin(folder: SweepFolder, timeout: str | None) -> None:
    """Back once it conducts the sweep, or is through with it. Raises UserError with its own words when it could not."""
    if folder.alive():
        raise busy(folder)
    options = [] if timeout is None else ["--timeout", timeout]
    background.begin(["sweep", f"--resume={folder.path}", *options], folder.log, folder.alive, "the sweep")


def ways_to(folder: SweepFolder) -> list[str]:
    name = reference(folder)
    return [f"look at it with: tui-trainer sweep --show {name}", f"end it with: tui-trainer sweep --stop {name}"]


def conduct(
    folder: SweepFolder, file: SweepFile, seconds: float | None, form: Form, requirements: Sequence[Requirement]
) -> None:
    """Until it is through; ends the process."""
    conductor, end, printer = Conductor(folder, file, seconds), SweepEnded(), Printer(folder, file, form)
    with background.passing_signals(conductor.leave):
        for told in conductor.go():
            printer.say(told)
            if isinstance(told, SweepEnded):
                end = told
    _leave(folder, file, end, requirements)


def _leave(folder: SweepFolder, file: SweepFile, end: SweepEnded, requirements: Sequence[Requirement]) -> None:
    if end.signal:
        sys.exit(128 + end.signal)
    if end.failed:
        complain(end.reason)
        sys.exit(3)
    missed = _unmet(folder, file, end, requirements)
    for words in missed:
        complain(words)
    sys.exit(1 if missed else 0)


def _unmet(folder: SweepFolder, file: SweepFile, end: SweepEnded, requirements: Sequence[Requirement]) -> list[str]:
    """By the best trial."""
    state = summarise(folder.run(end.best.run)) if requirements and end.best else State()
    chosen = {file.metric: end.best.value} if end.best and end.best.value is not None else {}
    found = require.measured(replace(state, metrics={**state.metrics, **chosen}))
    return [verdict.why for verdict in require.judge(requirements, found) if not verdict.holds]
