"""Where what is watched lies as runs of ours: folders in the cache that are gone when nobody watches any more."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec.structs import replace

from core.cache import cache_folder
from core.files import make_folder
from core.run import lock
from core.run.folder import RunFile, RunFolder, free_name
from core.watching.hyperparameters import read
from core.watching.sources import Found

FOLDER = "watched"
LOCK = "lock"
GRACE = 60.0
"""Seconds after which a folder whose lock nobody holds was left by a process that was killed."""


@contextmanager
def temporary(kind: str = FOLDER) -> Iterator[Path]:
    """A folder (0700) for the runs of one who watches. What others left is removed. Raises OSError."""
    base = cache_folder() / kind
    make_folder(base)
    _sweep(base)
    folder = base / f"{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    for folder in base.iterdir():
        with suppress(FileNotFoundError):  # another one sweeps too
            if not lock.held(folder / LOCK) and folder.is_dir() and time.time() - folder.stat().st_mtime > GRACE:
                shutil.rmtree(folder, ignore_errors=True)


def make_run(root: Path, found: Found) -> RunFolder:
    """For what was found. Raises OSError and UserError."""
    run = RunFolder(root / free_name(found.name[-90:], root))
    described = RunFile(name=run.name, created=found.changed, recipe=read(found.beside), origin=found.kind.LABEL)
    run.create(replace(described, id=secrets.token_hex(8)))
    return run
