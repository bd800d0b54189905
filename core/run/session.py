"""Starting and resuming runs: the folder is made here, the training happens in a worker process of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

import core
from core import data
from core.errors import UserError
from core.events import RunResumed, RunStarted
from core.files import open_to_append
from core.models import is_code
from core.recipe import Recipe, to_table
from core.run import program
from core.run.code import named_again, permit
from core.run.describe import describe, machine
from core.run.disk import Reserve
from core.run.folder import RunFile, RunFolder, Taken, busy, check_name, free_name
from core.run.journal import find, finished
from core.run.processes import TOLD
from core.run.resume import check_changes, check_journal

WORKER = (sys.executable, "-P", "-m", "core.run.worker")
"""``-P`` keeps the current folder off the module path, so that a ``core`` lying there is not taken for this one."""
THREADS_PER_CORE = 4
LAUNCHER = (sys.executable, "-P", "-m", "core.run.launch")
"""Starts several workers that train one run together."""
STARTUP = 30.0
"""Seconds that a worker may take from its start to its lock."""
STARTUP_OF_SEVERAL = 120.0
"""The same where torch is loaded before, to start them."""


def check(recipe: Recipe, threads: int | None = None, code: Path | None = None) -> None:
    """Raises UserError when the recipe's data are not to be had, its network cannot be built as described, or this machine has
    not the device or the threads."""
    check_threads(threads)
    check_device(recipe.device)
    availability = data.availability(recipe.data)
    if not availability.ready and not availability.fetchable:
        raise UserError(availability.hint)
    if inputs := data.inputs(recipe.data):
        describe(recipe, inputs, code)


def create(
    recipe: Recipe, runs: Path, name: str | None = None, threads: int | None = None, code: Path | None = None
) -> RunFolder:
    """A new run folder for a checked recipe. Raises UserError; nothing is left behind then.

    ``code`` is the folder with code of the user's own, where it is they who have named it as the model.
    """
    check(recipe, threads, code)
    described = RunFile(
        id=secrets.token_hex(8),
        created=time.time(),
        recipe=to_table(recipe),
        threads=threads,
        versions={package: metadata.version(package) for package in ("tui-trainer", "torch", "torchvision")},
        git=_git_revision(),
    )
    while True:
        run = RunFolder(runs / (check_name(name) if name else free_name(recipe.name, runs)))
        try:
            run.create(replace(described, name=run.name))
        except Taken:
            if name:
                raise
            continue  # another process was faster to take that free name
        if code and is_code(recipe.model):
            _permit(run, code)
        return run


def _permit(run: RunFolder, code: Path) -> None:
    try:
        permit(run, code)
    except UserError:
        shutil.rmtree(run.path, ignore_errors=True)
        raise


def start(
    run: RunFolder,
    *,
    tied: bool = False,
    epochs: int | None = None,
    checkpoint: str | None = None,
    allow_change: Sequence[str] = (),
    device: str | None = None,
    threads: int | None = None,
    notify: str | None = None,
    model: str | None = None,
    nproc: int | None = None,
    max_restarts: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a worker that begins the run or goes on with it; returns once it holds the run's lock, or has ended.

    ``tied`` makes the worker save and leave when this process is gone; otherwise it outlives it. It goes on from ``checkpoint``
    (``last``, ``best``, ``step-N`` or a name) when given, and takes back what came after that. ``notify`` is a command that it
    has the shell run when this session ends (:mod:`core.run.notify`). ``model`` names code of the user's own that is the run's
    model, which lies in the present folder. ``nproc`` processes train it together, as many as before when that is not said, and
    are started anew ``max_restarts`` times when one dies. Raises UserError when the run has a trainer already, when its
    description cannot be read, and when its folder cannot be written.
    """
    check_threads(threads)
    check_changes(allow_change)
    if notify is not None and not notify.strip():
        raise UserError("--notify: expected a command for the shell, and an empty one was given")
    if run.alive():
        raise busy(run)
    program.refuse(run)
    if model is not None:
        named_again(run, model, Path.cwd())
    Reserve(run.reserve).make()  # here too, since a full disk would not even take the worker's own words
    values = {"--epochs": epochs, "--checkpoint": checkpoint, "--device": device, "--threads": threads, "--notify": notify}
    options = [*values.items(), *(("--allow-change", name) for name in allow_change)]
    processes = nproc or processes_of(run)
    command = _command(run, processes, max_restarts or 0)
    worker = _spawn(run, [*command, *_arguments(options), *["--tied"] * tied], tied)
    startup = STARTUP if processes == 1 else STARTUP_OF_SEVERAL
    deadline = time.monotonic() + startup
    while worker.poll() is None and not run.alive():
        if time.monotonic() > deadline:
            worker.kill()
            raise UserError(f"the worker did not start within {startup:.0f} s; its words are in {run.log}")
        time.sleep(0.02)
    return worker


def processes_of(run: RunFolder) -> int:
    """How many trained the run together in its last session."""
    sessions = find(run.journal, RunStarted, RunResumed)
    return max(1, sessions[-1].processes) if sessions else 1


def _command(run: RunFolder, processes: int, max_restarts: int) -> list[str]:
    where = str(run.path.absolute())
    if processes == 1:
        return [*WORKER, where]
    return [*LAUNCHER, where, f"--processes={processes}", f"--max-restarts={max_restarts}"]


def remove_unbegun(run: RunFolder) -> None:
    """A mistake that showed only once the worker looked (damaged data, say) leaves no run behind."""
    if not run.alive() and not find(run.journal, RunStarted):
        shutil.rmtree(run.path, ignore_errors=True)


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
    """Whether a resume would change nothing: the run has finished, and no more epochs are asked for. Raises UserError for the
    journal of another run."""
    check_journal(run)
    end = finished(run.journal)
    return end is not None and (epochs or 0) <= end.epoch


def _arguments(values: Iterable[tuple[str, object]]) -> list[str]:
    return [f"{name}={value}" for name, value in values if value is not None]


def _spawn(run: RunFolder, command: list[str], tied: bool) -> subprocess.Popen[bytes]:
    environment = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ, "PYTHONUNBUFFERED": "1"}
    for name in TOLD:  # of a launcher that has started this process, and not the worker
        environment.pop(name, None)
    with _log(run) as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )


def _log(run: RunFolder) -> BinaryIO:
    """Raises UserError when the worker's log cannot be written."""
    try:
        return os.fdopen(open_to_append(run.log), "ab")
    except OSError as error:
        raise UserError(f"{run.log}: cannot be written: {error.strerror}; mend that, then resume") from None


def _git_revision() -> str:
    """Of the checkout that this package runs from; empty when it is installed from a wheel."""
    root, git = Path(core.__path__[0]).parent, shutil.which("git")
    if git is None or not (root / ".git").exists():
        return ""
    answer = subprocess.run([git, "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
