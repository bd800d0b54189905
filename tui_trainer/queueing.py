"""The process that begins the runs of a queue, started by whoever adds to it."""

from __future__ import annotations

from core.queue.folder import QueueFolder
from tui_trainer import background


def ensure_runner(queue: QueueFolder) -> bool:
    """Whether it had to be started. Raises UserError where it could not be."""
    if queue.conducted:  # it looks at the queue once more, and under its lock, before it ends
        return False
    words = ["queue", "run", f"--runs={queue.runs.absolute()}"]
    background.begin(words, queue.log, lambda: queue.conducted, "the process that runs the queue")
    return True
