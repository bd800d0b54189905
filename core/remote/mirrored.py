"""For whoever shows a run on another machine: the process that mirrors it, and the run folder in which it lies then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UNREADABLE, UserError
from core.remote.address import Address
from core.run.folder import RunFolder
from core.watching.folders import temporary

PROCESS = (sys.executable, "-P", "-m", "core.remote.process")
FOLDER = "remote"
LOG = "mirror.log"
SECONDS = 10.0
"""That the process is given to end; it delivers what was told last."""


@dataclass(frozen=True)
class Mirrored:
    run: RunFolder
    process: subprocess.Popen[bytes]

    @property
    def root(self) -> Path:
        return self.run.path.parent


@contextmanager
def mirrored(address: Address, far: str, left: Callable[[int], None]) -> Iterator[Mirrored]:
    """Raises UserError when the run is not to be had. Until this has it, ssh may ask for a password. ``left`` is told at the
    end how many commands have not arrived there."""
    try:
        with temporary(FOLDER) as root:
            process = _start(root, address, far)
            try:
                yield Mirrored(RunFolder(root / _begun(process, root)), process)
            finally:
                left(_end(process))
    except OSError as error:
        raise UserError(
            f"{error.filename or 'cache'}: {error.strerror}; choose another folder with TUI_TRAINER_CACHE"
        ) from None


def _start(root: Path, address: Address, far: str) -> subprocess.Popen[bytes]:
    """In this terminal's session, so that ssh can ask."""
    command, pipe = [*PROCESS, str(root), str(address), far], subprocess.PIPE
    with (root / LOG).open("wb") as log:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log)


def _begun(process: subprocess.Popen[bytes], root: Path) -> str:
    said = _said(process)
    if isinstance(error := said.get("error"), str):
        raise UserError(error)
    if isinstance(name := said.get("run"), str):
        return name
    with suppress(OSError):
        lines = (root / LOG).read_text("utf-8", "replace").strip().splitlines()
        raise UserError(f"the run cannot be mirrored: {lines[-1] if lines else 'its process ended without a word'}")
    raise UserError("the run cannot be mirrored: its process ended, and its folder is gone")


def _said(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        return msgspec.json.decode(process.stdout.readline(), type=dict[str, Any])
    except UNREADABLE:
        return {}


def _end(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None and process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    said = _said(process).get("undelivered")
    process.stdout.close()
    return said if isinstance(said, int) else 0
