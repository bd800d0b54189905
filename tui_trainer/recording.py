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

from core.files import create
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
            for member in archive:
                _unpack(archive, member, folder)
        yield RunFolder(folder / NAME)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Files and folders alone, below ``folder``. ``extractall`` is as careful from Python 3.11.4 on."""
    path = folder / member.name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{ARCHIVE}: {member.name!r} leads out of it")
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif member.isfile() and (data := archive.extractfile(member)):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with create(path) as file:
            shutil.copyfileobj(data, file)
        os.utime(path, (member.mtime, member.mtime))


def _removing(folder: Path) -> Callable[[int, FrameType | None], None]:
    def end(number: int, frame: FrameType | None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return end
