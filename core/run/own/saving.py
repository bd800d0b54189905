"""A checkpoint that a program writes itself: seen under its name only when its function has returned.

Its folder is named apart from a worker's checkpoints, whose files are known one by one: ``step-00001234-own``."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from core.events import CheckpointSaved
from core.run.folder import RunFolder, sync_folder

OWN = "own"


def save(
    run: RunFolder, function: Callable[[Path], object], step: int, meet: Callable[[], None], mine: bool
) -> CheckpointSaved | None:
    """Call ``function`` with a new folder; ``meet`` waits for the other ranks where they save too, of which one is ``mine`` to
    tell of it. Raises whatever the function raises, and OSError when it has written nothing."""
    started, folder = time.monotonic(), run.checkpoints / f".writing-{step:08d}-{OWN}"
    if mine:
        shutil.rmtree(folder, ignore_errors=True)
    meet()
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        function(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        meet()
    return _published(run, folder, step, time.monotonic() - started) if mine else None


def _published(run: RunFolder, folder: Path, step: int, seconds: float) -> CheckpointSaved:
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not files:
        shutil.rmtree(folder, ignore_errors=True)
        raise OSError("the program's save function wrote nothing into the folder that it was given")
    for path in files:
        _sync(path)
    target = _free(run.checkpoints, step)
    folder.rename(target)
    sync_folder(run.checkpoints)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return CheckpointSaved(checkpoint=target.name, step=step, bytes=size, delay=seconds, seconds=seconds)


def _sync(path: Path) -> None:
    """It is the program's own file, of whatever mode."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free(folder: Path, step: int) -> Path:
    number, stem = 0, f"step-{step:08d}-{OWN}"
    while (target := folder / (f"{stem}.{number}" if number else stem)).exists():
        number += 1
    return target
