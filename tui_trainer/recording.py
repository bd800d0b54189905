"""A real training that comes with the package, as a run folder without its weights."""

from __future__ import annotations

import os
import shutil
import signal
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType

from core.run.folder import RunFolder

ARCHIVE = "demo.tar.xz"
"""Made by ``tests/tools/make_recording.py``."""
NAME = "demo"
"""The run's, and its folder's in the archive."""
ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that would end the process without a word."""


def packed() -> Traversable:
    return resources.files("tui_trainer") / "recordings" / ARCHIVE


@contextmanager
def unpacked() -> Iterator[RunFolder]:
    """In a folder of its own, for nobody else (0700), which is gone afterwards, also when the terminal is closed."""
    folder = Path(mkdtemp(prefix="tui-trainer-"))
    before = {number: signal.signal(number, _removing(folder)) for number in ENDS}
    try:
        with (
            (resources.files("tui_trainer") / "recordings" / ARCHIVE).open("rb") as file,
            tarfile.open(fileobj=file) as archive,
        ):
            archive.extractall(folder, filter="data")
        yield RunFolder(folder / NAME)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        shutil.rmtree(folder, ignore_errors=True)


def _removing(folder: Path) -> Callable[[int, FrameType | None], None]:
    def end(number: int, frame: FrameType | None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return end
