"""What the saver is handed, and which of it is worth writing when the disk takes little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.checkpoint import Best
from core.training.snapshot import Snapshot


@dataclass(frozen=True)
class Job:
    snapshot: Snapshot
    epoch: int
    reason: str
    delay: float
    name: str = ""
    best: Best | None = None
    """Set when this is the best so far; its ``checkpoint`` is filled in when the folder has its name."""
    command: str = ""
    """Id of the command that asked for it and waits for its answer."""


def worth_writing(jobs: Sequence[Job]) -> list[Job]:
    """Of what waits for room, the oldest first: what was asked for, the best weights, and the newest state."""
    best = next((job for job in reversed(jobs) if job.best), None)
    return [job for job in jobs if job.command or job is best or job is jobs[-1]]
