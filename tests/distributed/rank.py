"""The real worker as one rank of several, in a process of its own (:func:`session`), which may kill itself at a named point."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from core import checkpoint, commands
from core.commands import Command
from core.events import Event
from core.run import inbox, worker
from core.run.folder import RunFolder
from core.training import agreeing, distributed, figures, synchronised, trainer
from core.training.evaluation import Evaluation
from core.training.parts import Part
from core.training.steps import Steps
from core.training.trainer import Trainer
from core.training.update import Update

LOADED = (agreeing, distributed, synchronised)
"""By the server that forks the ranks, so that none of them takes the time."""


def training(die: Callable[[], None]) -> None:
    _before(Steps, "take", die, nth=8)


def validation(die: Callable[[], None]) -> None:
    _before(Evaluation, "_take", die, nth=3)


def saving(die: Callable[[], None]) -> None:
    """The first rank in the middle of a checkpoint; the others while it writes one."""
    if os.environ["RANK"] == "0":
        _before(checkpoint, "_free_folder", die, nth=3)
    else:
        _before(Trainer, "save", die, nth=3)


def spoil(run: RunFolder, files: bool) -> None:
    """Once, what this rank adds to the gradients of a step of the second epoch; with ``files`` every checkpoint as well."""
    original, left = Part.loss, 8

    def loss(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        for file in run.checkpoints.glob("*/model.safetensors") if files and not left else ():
            file.write_bytes(b"")
        return original(*arguments) * (float("nan") if not left else 1.0)

    setattr(Part, "loss", loss)  # noqa: B010


POINTS: dict[str, Callable[[Callable[[], None]], None]] = {"training": training, "validation": validation, "saving": saving}


SLOW = 0.25
"""Seconds that a part of a step takes longer on a rank which is slow on purpose."""


PARTS: dict[str, tuple[Any, str]] = {
    "batch": (Steps, "_batch"),
    "statistics": (synchronised, "_statistics"),
    "loss": (Part, "loss"),
    "update": (Update, "make"),
    "meeting": (agreeing.AgreedControl, "take"),
}
"""Of a step."""


def slow_down(part: str) -> None:
    owner, name = PARTS[part]
    original = getattr(owner, name)

    def later(*arguments: Any) -> Any:
        time.sleep(SLOW)
        return original(*arguments)

    setattr(owner, name, later)


def _before(owner: Any, name: str, die: Callable[[], None], nth: int) -> None:
    original, left = getattr(owner, name), nth

    def called(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            die()
        return original(*arguments, **named)

    setattr(owner, name, called)


def die() -> None:
    number = int(os.environ["OF"])
    os.kill(os.getpid(), number)
    if number == signal.SIGKILL:
        time.sleep(60)  # it may take a moment, in which nothing more must happen


def speak(run: RunFolder, told: Mapping[int, tuple[Command, ...]]) -> None:
    """Send commands when so many steps are done, and end each pause."""
    between, waiting = Trainer.between_steps, agreeing.AgreedControl.wait
    due = dict(told)

    def speaking(self: Trainer) -> Iterator[Event]:
        for command in due.pop(self.progress.step, ()):
            inbox.send(run, command)
        yield from between(self)

    def wait(self: agreeing.AgreedControl, seconds: float) -> None:
        inbox.send(run, commands.Continue())
        waiting(self, seconds)

    Trainer.between_steps, agreeing.AgreedControl.wait = speaking, wait  # type: ignore[method-assign]


def session(run: Path, environment: Mapping[str, str], told: Mapping[int, tuple[Command, ...]], arguments: list[str]) -> None:
    """All of a new process."""
    os.environ.update(environment)
    with (run / f"process-{environment['RANK']}.log").open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    trainer.WINDOW = 0.0  # every step closes a window, so that a checkpoint may fall on any
    figures.EVERY = 0.0
    if host := environment.get("HOST"):
        socket.gethostname = lambda: host
    if part := environment.get("SLOW"):
        slow_down(part)
    if spoils := environment.get("SPOILS"):
        spoil(RunFolder(run), spoils == "files")
    if environment.get("COMPILER") == "none":
        setattr(torch, "compile", lambda network, **_: network)  # noqa: B010
    if environment["RANK"] == "0":
        speak(RunFolder(run), told)
    if point := environment.get("DIES"):
        POINTS[point](die)
    sys.exit(worker.main([str(run), "--threads=2", *arguments]))
