"""For whoever shows a run on another machine: the process that mirrors it, and the run folder in which it lies then."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UNREADABLE, UserError
from core.remote.address import Address
from core.run.folder import RunFolder
from core.watching.companion import Companion, companion

MODULE = "core.remote.process"
FOLDER = "remote"
SECONDS = 10.0
"""That the process is given to end; it delivers what was told last."""


@dataclass(frozen=True)
class Mirrored:
    run: RunFolder
    beside: Companion

    @property
    def root(self) -> Path:
        return self.run.path.parent

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.beside.process

    def ended(self) -> str:
        """Why nothing keeps the mirror equal to its run any more; empty while something does."""
        if self.process.poll() is None:
            return ""
        error = _said(self.beside).get("error")
        return error if isinstance(error, str) else self.beside.last_words(f"status {self.process.returncode}")


@contextmanager
def mirrored(address: Address, far: str, left: Callable[[int], None]) -> Iterator[Mirrored]:
    """Raises UserError when the run is not to be had. Until this has it, ssh may ask for a password. ``left`` is told at the
    end how many commands have not arrived there."""
    with companion(FOLDER, MODULE, [str(address), far], SECONDS, own_session=False) as beside:  # so that ssh can ask
        try:
            yield Mirrored(RunFolder(beside.root / _begun(beside)), beside)
        finally:
            beside.end(SECONDS)
            undelivered = _said(beside).get("undelivered")
            left(undelivered if isinstance(undelivered, int) else 0)


def _begun(beside: Companion) -> str:
    said = _said(beside)
    if isinstance(error := said.get("error"), str):
        raise UserError(error)
    if isinstance(name := said.get("run"), str):
        return name
    raise UserError(f"the run cannot be mirrored: {beside.last_words('its process ended without a word')}")


def _said(beside: Companion) -> dict[str, Any]:
    try:
        return msgspec.json.decode(beside.said(), type=dict[str, Any])
    except UNREADABLE:
        return {}
