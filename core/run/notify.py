"""The command that a person wants to have run when a run ends (``--notify``). The shell runs it as it was given; what became of
the run is in its environment alone, never in the text that the shell reads."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable

from core.events import Event
from core.run.folder import RunFolder
from core.view import outcome
from core.view.fold import fold
from core.view.state import State
from core.view.summary import summarise

SHELL = "/bin/sh"
LIMIT = 60.0
"""Seconds that it may take; then it is killed, with what it has started."""
HURRIED = 5.0
"""The same from the moment on that the worker was sent a signal: whoever sent it will not wait for long."""


def at_end(command: str, run: RunFolder, ending: Event | None, hurried: Callable[[], bool]) -> str:
    """Run it for a session that ended so; what went wrong, in words, else nothing. Never raises, or an end would fail by it."""
    try:
        return run_command(command, variables(run, ended(run, ending)), hurried)
    except Exception as error:
        return f"--notify failed: {type(error).__name__}: {error}"


def ended(run: RunFolder, ending: Event | None) -> State:
    """The run as its journal has it, with its ending also where that could not be written."""
    state = summarise(run)
    return state if state.ended or ending is None else fold(state, [ending])


def variables(run: RunFolder, state: State) -> dict[str, str]:
    """What the command is told. Accuracy from 0 to 1; what is not known is empty."""
    metric, weights = outcome.accuracy(state), run.path.absolute() / state.weights
    return {
        "TUI_TRAINER_RUN": str(run.path.absolute()),
        "TUI_TRAINER_NAME": run.name,
        "TUI_TRAINER_STATUS": "refused" if state.refusal else state.status,
        "TUI_TRAINER_RESULT": _one_line(outcome.outcome(state)),
        "TUI_TRAINER_ACCURACY": f"{state.metrics[metric]:.6g}" if metric else "",
        "TUI_TRAINER_WEIGHTS": str(weights) if state.weights and weights.is_file() else "",
    }


def run_command(command: str, told: dict[str, str], hurried: Callable[[], bool]) -> str:
    """Have the shell run it, with its output where this process has its own; what went wrong, in words, else nothing."""
    environment = {**os.environ, **told}
    try:
        process = subprocess.Popen(
            [SHELL, "-c", command], stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )  # fmt: skip
    except (OSError, ValueError) as error:
        return f"--notify could not be started: {error}"
    begun = time.monotonic()
    if _wait(process, hurried):
        status = process.returncode
        return f"--notify ended with {f'status {status}' if status > 0 else f'signal {-status}'}" if status else ""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return f"--notify took longer than {time.monotonic() - begun:.0f} s and was ended"


def _wait(process: subprocess.Popen[bytes], hurried: Callable[[], bool]) -> bool:
    """Whether it ended within its time."""
    deadline = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < deadline:
        if hurried():
            deadline = min(deadline, time.monotonic() + HURRIED)
        time.sleep(0.02)
    return process.poll() is not None


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in " ".join(text.split()))
