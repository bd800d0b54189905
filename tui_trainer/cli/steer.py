"""Commands to a living run: they wait for the answer, which comes between two steps."""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeAlias, TypeVar

import typer

from core import commands
from core.commands import Command
from core.errors import UserError
from core.run.folder import RunFolder, find, reference, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import say

if TYPE_CHECKING:
    from core.view.plan import Plan

PATIENCE = 10.0
"""Seconds to wait for an answer."""

N = TypeVar("N", int, float)
NoWait: TypeAlias = Annotated[bool, typer.Option("--no-wait", help="Do not wait for the answer.")]


def pause(run: options.Run, no_wait: NoWait = False, runs: options.Runs = None) -> None:
    """Stop after the present step and wait."""
    _send(run, runs, [commands.Pause()], no_wait)


def go_on(run: options.Run, no_wait: NoWait = False, runs: options.Runs = None) -> None:
    """Go on where a run was paused."""
    _send(run, runs, [commands.Continue()], no_wait)


def save(
    run: options.Run,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Keep this checkpoint under a name.")] = "",
    no_wait: NoWait = False,
    runs: options.Runs = None,
) -> None:
    """Write a checkpoint now."""
    _send(run, runs, [commands.Save(name=name)], no_wait)


def stop(run: options.Run, no_wait: NoWait = False, runs: options.Runs = None) -> None:
    """Save, then end the training."""
    _send(run, runs, [commands.Stop()], no_wait)


def tell(
    run: options.Run,
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="key=value...",
            help="learning-rate=1e-4 or x0.5, epochs=60 or +5, patience=5, early-stopping=on|off, stop-after-epoch=yes, "
            "validate=now, remark=text, save=NAME, rewind=CHECKPOINT, stop=now, discard=yes",
            show_default=False,
        ),
    ],
    no_wait: NoWait = False,
    runs: options.Runs = None,
) -> None:
    """Change a living run. CHECKPOINT is best, last, step-N, or the name that it was saved under; discard ends the run
    without saving, and removes nothing."""
    found = find(run, runs_folder(runs))
    _send(run, runs, [parse(absolute(change, found)) for change in changes], no_wait)


def absolute(change: str, run: RunFolder) -> str:
    """``learning-rate=x0.5`` and ``epochs=+5`` as what they come to in a run; other changes as they are. Raises UserError."""
    key, _, value = change.partition("=")
    try:
        if key == "learning-rate" and value.startswith("x"):
            factor = _number(value[1:], float, "x and a factor, for instance x0.5")
            return f"{key}={_plan(run).rate * factor!r}"
        if key == "epochs" and value.startswith(("+", "-")):
            return f"{key}={_plan(run).epochs + _number(value, int, 'a whole number of epochs more or fewer')}"
    except ValueError as error:
        raise UserError(f"tell {change!r}: {error}") from None
    return change


def _plan(run: RunFolder) -> Plan:
    from core.view import plan
    from core.view.summary import summarise

    return plan.read(run, summarise(run))


def parse(change: str) -> Command:
    """The command that ``key=value`` means; raises UserError."""
    key, equals, value = change.partition("=")
    if not equals or key not in KEYS:
        close = difflib.get_close_matches(key, KEYS, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise UserError(f"tell {change!r}: expected key=value with one of {', '.join(KEYS)}{hint}")
    try:
        return KEYS[key](value)
    except ValueError as error:
        raise UserError(f"tell {change!r}: {error}") from None


def _rate(value: str) -> Command:
    return commands.SetLearningRate(value=_number(value, float, "a number, for instance 1e-4"))


def _epochs(value: str) -> Command:
    return commands.SetEpochs(value=_number(value, int, "a whole number of epochs"))


def _patience(value: str) -> Command:
    return commands.SetEarlyStopping(patience=_number(value, int, "a whole number of epochs"))


def _early_stopping(value: str) -> Command:
    return commands.SetEarlyStopping(enabled=_one_of(value, ("on", "off")) == "on")


def _stop_after_epoch(value: str) -> Command:
    _one_of(value, ("yes",))
    return commands.StopAfterEpoch()


def _validate(value: str) -> Command:
    _one_of(value, ("now",))
    return commands.Validate()


def _remark(value: str) -> Command:
    return commands.Remark(text=value)


def _rewind(value: str) -> Command:
    if not value:
        raise ValueError("expected best, last, step-N, or the name of a checkpoint")
    return commands.Rewind(checkpoint=value)


def _save(value: str) -> Command:
    return commands.Save(name=value)


def _stop(value: str) -> Command:
    _one_of(value, ("now",))
    return commands.Stop()


def _discard(value: str) -> Command:
    _one_of(value, ("yes",))
    return commands.Discard()


def _number(value: str, kind: Callable[[str], N], expected: str) -> N:
    try:
        number = kind(value)
        finite = math.isfinite(number)
    except (ValueError, OverflowError):
        finite = False
    if not finite:
        raise ValueError(f"expected {expected}")
    return number


def _one_of(value: str, expected: Sequence[str]) -> str:
    if value not in expected:
        raise ValueError(f"expected {' or '.join(expected)}")
    return value


KEYS: dict[str, Callable[[str], Command]] = {
    "learning-rate": _rate,
    "epochs": _epochs,
    "patience": _patience,
    "early-stopping": _early_stopping,
    "stop-after-epoch": _stop_after_epoch,
    "validate": _validate,
    "remark": _remark,
    "rewind": _rewind,
    "save": _save,
    "stop": _stop,
    "discard": _discard,
}


def _send(name: str, runs: Path | None, sent: Sequence[Command], no_wait: bool) -> None:
    from core.run import inbox

    run = find(name, runs_folder(runs))
    for command in sent:
        offset = run.journal.stat().st_size if run.journal.exists() else 0
        identity = inbox.send(run, command)
        kind = commands.name_of(command)
        # A pass over a split or the reading of a checkpoint may take minutes; everything else is done within a step.
        patience = math.inf if isinstance(command, (commands.Validate, commands.Rewind)) else PATIENCE
        say(f"{kind}: sent" if no_wait else f"{kind}: {answer(run, identity, offset, patience)}")


def answer(run: RunFolder, identity: str, offset: int, patience: float = PATIENCE) -> str:
    """The note of the acceptance, looked for from a byte of the journal on. Raises UserError when the command is rejected,
    or not answered in time."""
    from core.events import CommandAccepted, CommandRejected
    from core.run.journal import JournalReader

    reader, deadline = JournalReader(run.journal, offset), time.monotonic() + patience
    while True:
        last = time.monotonic() >= deadline or not run.alive()
        for event in reader.read():
            if isinstance(event, CommandAccepted) and event.id == identity:
                return event.note or "done"
            if isinstance(event, CommandRejected) and event.id == identity:
                raise UserError(f"rejected: {event.reason}")
        if last and reader.at_end:
            _give_up(run, patience)
        time.sleep(0 if not reader.at_end else 0.05)


def _give_up(run: RunFolder, patience: float) -> NoReturn:
    if run.alive():
        raise UserError(f"no answer within {patience:.0f} s; the command waits in {run.inbox} for the end of the present step")
    raise UserError(f"run '{run.name}' has ended before it answered; see: tui-trainer show {reference(run)}")
