"""Which checkpoints a run may go on from, once a person has taken it back.

A run that was taken back to a checkpoint is on another line than its later checkpoints. The journal says so first, safe from a
power cut; then what is later leaves the folder, before anything of the new line is saved there. A kill between the two leaves
the second for whoever comes next: the next save, or the next session. Which of two checkpoints is of the line that was left,
and which of the present one, is told by the number in its manifest.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core import checkpoint
from core.checkpoint import Best, Damaged, Manifest
from core.events import CheckpointRemoved, Event, MessageLogged, RunRewound
from core.run import journal
from core.run.folder import RunFolder

LEFT = "left-"
"""How the names of those begin that a person has named: they are kept."""


class Line(NamedTuple):
    number: int = 0
    """How often a person has taken the run back."""
    checkpoint: str = ""
    """Where to, the last time."""

    def after(self, checkpoint: str) -> Line:
        """The line that begins there."""
        return Line(self.number + 1, checkpoint)

    def clear(self, folder: Path) -> Iterator[Event]:
        """Take what lies behind the run out of the way, and say what became of it. Raises OSError."""
        behind = list(self._behind(folder)) if self.number else []
        if not behind:
            return
        best = checkpoint.read_pointer(folder / "best.json")
        if best and best.checkpoint in {place.name for place, _ in behind}:
            (folder / "best.json").unlink()  # first: a later checkpoint may get that name again
        checkpoint.point(folder, "last", Best(self.checkpoint))
        for place, manifest in reversed(behind):
            yield _kept(place, manifest) if manifest.name else _removed(place)

    def _behind(self, folder: Path) -> Iterator[tuple[Path, Manifest]]:
        """Later checkpoints of the lines before, oldest first. Those that cannot be read are left to whoever looks for one to
        go on from, who sets bad ones aside."""
        for place in checkpoint.listing(folder):
            if checkpoint.position(place.name) > checkpoint.position(self.checkpoint):
                try:
                    manifest = checkpoint.read_manifest(place)
                except Damaged:
                    continue
                if manifest.line < self.number:
                    yield place, manifest


def present(run: RunFolder) -> Line:
    """The line that a run is on, as its journal tells."""
    line = Line()
    for event in journal.find(run.journal, RunRewound):
        if event.asked:
            line = line.after(event.checkpoint)
    return line


def told(back: RunRewound) -> str:
    """The answer to the command that asked for it."""
    return f"went back to {back.checkpoint}: step {back.step}, epoch {back.epoch}"


def _removed(place: Path) -> Event:
    trash = place.with_name(f".removing-{place.name}-{secrets.token_hex(2)}")
    place.rename(trash)  # as in pruning: never half a checkpoint under its own name
    shutil.rmtree(trash, ignore_errors=True)
    return CheckpointRemoved(checkpoint=place.name, reason="the run was taken back")


def _kept(place: Path, manifest: Manifest) -> Event:
    target = place.with_name(LEFT + place.name)
    while target.exists() or target.is_symlink():
        target = place.with_name(f"{LEFT}{place.name}-{secrets.token_hex(2)}")
    place.rename(target)
    return MessageLogged(text=f"checkpoint '{manifest.name}' is kept as {target.name}, where nothing goes on from it")
