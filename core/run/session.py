"""Starting and resuming runs: the folder is made here, the training happens in a worker process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import core
from core import data
from core.errors import UserError
from core.models import Inputs
from core.recipe import Recipe, to_table
from core.run.describe import describe, machine
from core.run.folder import RunFile, RunFolder, busy, check_name, free_name
from core.run.resume import finished

WORKER = (sys.executable, "-P", "-m", "core.run.worker")
"""``-P`` keeps the current folder off the module path, so that a ``core`` lying there is not taken for this one."""
THREADS_PER_CORE = 4
STARTUP = 30.0
"""Seconds that a worker may take from its start to its lock."""


def check(recipe: Recipe, threads: int | None = None) -> None:
    """Raises UserError when the recipe's data are not to be had, its network cannot be built as described, or this machine has
    not the device or the threads."""
    check_threads(threads)
    check_device(recipe.device)
    availability = data.availability(recipe.data)
    if not availability.ready and not availability.fetchable:
        raise UserError(availability.hint)
    describe(recipe, Inputs(data.class_count(recipe.data), size=recipe.data.size))


def create(recipe: Recipe, runs: Path, name: str | None = None, threads: int | None = None) -> RunFolder:
    """A new run folder for a checked recipe. Raises UserError; nothing is left behind then."""
    check(recipe, threads)
    run = RunFolder(runs / (check_name(name) if name else free_name(recipe.name, runs)))
    run.create(
        RunFile(
            name=run.name,
            created=time.time(),
            recipe=to_table(recipe),
            threads=threads,
            versions={package: metadata.version(package) for package in ("tui-trainer", "torch", "torchvision")},
            git=_git_revision(),
        )
    )
    return run


def start(
    run: RunFolder,
    *,
    tied: bool = False,
    epochs: int | None = None,
    allow_change: bool = False,
    device: str | None = None,
    threads: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a worker that begins the run or goes on with it; returns once it holds the run's lock, or has ended.

    ``tied`` makes the worker save and leave when this process is gone; otherwise it outlives it. Raises UserError when the run
    has a trainer already.
    """
    check_threads(threads)
    if run.alive():
        raise busy(run)
    values = {"--epochs": epochs, "--device": device, "--threads": threads}
    flags = {"--allow-change": allow_change, "--tied": tied}
    worker = _spawn(run, _arguments(values.items()) + [flag for flag, given in flags.items() if given], tied)
    deadline = time.monotonic() + STARTUP
    while worker.poll() is None and not run.alive():
        if time.monotonic() > deadline:
            worker.kill()
            raise UserError(f"the worker did not start within {STARTUP:.0f} s; its words are in {run.log}")
        time.sleep(0.02)
    return worker


def check_threads(threads: int | None) -> None:
    """Raises UserError for more threads than could do any good: each costs memory, and very many bring the machine down."""
    most = THREADS_PER_CORE * (os.cpu_count() or 1)
    if threads is not None and not 1 <= threads <= most:
        raise UserError(f"--threads {threads}: expected 1 to {most} on this machine of {os.cpu_count()} cores")


def check_device(name: str) -> None:
    """Raises UserError for a device that torch cannot use here; asking it takes as long as importing it."""
    if name in ("auto", "cpu"):
        return
    devices = machine().devices
    if name not in devices and name not in {device.partition(":")[0] for device in devices}:
        raise UserError(f"device: '{name}' is not usable here; available: {', '.join(devices)}")


def nothing_to_do(run: RunFolder, epochs: int | None) -> bool:
    """Whether a resume would change nothing: the run has finished, and no more epochs are asked for."""
    end = finished(run)
    return end is not None and (epochs or 0) <= end.epoch


def _arguments(values: Iterable[tuple[str, object]]) -> list[str]:
    return [text for name, value in values if value is not None for text in (name, str(value))]


def _spawn(run: RunFolder, arguments: list[str], tied: bool) -> subprocess.Popen[bytes]:
    environment = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ, "PYTHONUNBUFFERED": "1"}
    with os.fdopen(os.open(run.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
        return subprocess.Popen(
            [*WORKER, str(run.path.absolute()), *arguments],
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )


def _git_revision() -> str:
    """Of the checkout that this package runs from; empty when it is installed from a wheel."""
    root = Path(core.__path__[0]).parent
    if not (root / ".git").exists():
        return ""
    try:
        answer = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    except OSError:  # no git here
        return ""
    return answer.stdout.strip()
