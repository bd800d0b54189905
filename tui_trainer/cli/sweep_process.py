"""The process that conducts a sweep: this one, or one that outlives it, which is the command line once more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from msgspec.structs import replace

from core.errors import UserError
from core.files import last_line, open_to_append
from core.sweep.conductor import Conductor
from core.sweep.folder import SweepFile, SweepFolder, busy, reference
from core.sweep.told import SweepEnded
from core.view.state import State
from core.view.summary import summarise
from tui_trainer.cli import require
from tui_trainer.cli.require import Requirement
from tui_trainer.cli.say import complain
from tui_trainer.cli.sweep_lines import Printer
from tui_trainer.plain import Form

PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMAND = (sys.executable, "-P", "-m", "tui_trainer", "sweep")
STARTUP = 60.0
"""Seconds that it may take until it conducts the sweep: it loads Optuna first."""


def begin(folder: SweepFolder, timeout: str | None) -> None:
    """Back once it conducts the sweep, or is through with it. Raises UserError with its own words when it could not."""
    if folder.alive():
        raise busy(folder)
    options = [] if timeout is None else ["--timeout", timeout]
    with os.fdopen(open_to_append(folder.log), "ab") as log:
        before = os.fstat(log.fileno()).st_size
        process = subprocess.Popen(
            [*COMMAND, f"--resume={folder.path}", *options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + STARTUP
    while process.poll() is None and not folder.alive():
        if time.monotonic() > deadline:
            process.kill()
            raise UserError(f"the sweep did not begin within {STARTUP:.0f} s; its words are in {folder.log}")
        time.sleep(0.05)
    if process.returncode:
        raise UserError(last_line(folder.log, before).removeprefix("tui-trainer: ") or f"see {folder.log}")


def ways_to(folder: SweepFolder) -> list[str]:
    name = reference(folder)
    return [f"look at it with: tui-trainer sweep --show {name}", f"end it with: tui-trainer sweep --stop {name}"]


def conduct(
    folder: SweepFolder, file: SweepFile, seconds: float | None, form: Form, requirements: Sequence[Requirement]
) -> None:
    """Until it is through; ends the process."""
    conductor, end, printer = Conductor(folder, file, seconds), SweepEnded(), Printer(folder, file, form)
    with _passing_signals(conductor):
        for told in conductor.go():
            printer.say(told)
            if isinstance(told, SweepEnded):
                end = told
    _leave(folder, file, end, requirements)


@contextmanager
def _passing_signals(conductor: Conductor) -> Iterator[None]:
    """A closed terminal ends a sweep like any other signal does, unless nohup says otherwise."""

    def take(number: int, frame: FrameType | None) -> None:
        conductor.leave(number)

    passed = [number for number in PASSED if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, take) for number in passed}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
