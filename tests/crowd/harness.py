"""Many processes around real runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from core.events import CommandAccepted, CommandRejected, StepDone
from core.recipe import Recipe
from core.run import journal
from core.run.folder import RunFolder
from tests.core.training import tiny

HERE = Path(__file__).parent
PATIENCE = 90.0
"""Seconds; more is a hang."""
Process: TypeAlias = "subprocess.Popen[str]"


def short() -> Recipe:
    """A hundred steps."""
    return tiny(epochs=20, early_stopping={"enabled": False})


def endless() -> Recipe:
    return tiny(epochs=5000, early_stopping={"enabled": False}, checkpoint={"every_seconds": 0.2, "keep": 2})


def start(script: str, *arguments: object, log: Path | None = None) -> Process:
    """A script of this folder, with what it prints on a pipe and its errors in ``log``."""
    with ExitStack() as opened:
        errors = opened.enter_context(log.open("ab")) if log else None
        command = [sys.executable, "-P", str(HERE / script), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)


@contextmanager
def ended(*processes: subprocess.Popen[Any]) -> Iterator[None]:
    """None of these outlives the test, however it ends."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()


def line(process: Process) -> str:
    """The next one that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def until_training(run: RunFolder) -> None:
    until(lambda: journal.find(run.journal, StepDone), "a step done")


def answers(run: RunFolder) -> Counter[str]:
    """How often each command was answered."""
    return Counter(answer.id for answer in journal.find(run.journal, CommandAccepted, CommandRejected))


def tell_at_once(run: RunFolder, go: Path, senders: int = 10) -> list[str]:
    """Let so many processes send what they have to say at the same moment; the ids of all commands."""
    processes = [start("sender.py", run.path, go, number) for number in range(senders)]
    with ended(*processes):
        assert [line(process) for process in processes] == ["ready"] * senders
        go.touch()
        return [word for process in processes for word in process.communicate(timeout=PATIENCE)[0].split()]


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
