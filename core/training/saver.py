"""Checkpoints written beside training: the trainer hands over a copy of its tensors and goes on."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core import checkpoint
from core.checkpoint import WEIGHTS, Best, Manifest
from core.errors import TrainingError
from core.events import CheckpointRemoved, CheckpointSaved, CommandAccepted, CommandRejected, Event, MessageLogged
from core.recipe import Recipe
from core.run.folder import RunFolder
from core.training.snapshot import Snapshot, World


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


class Saver:
    """One thread, one job under way and one waiting. What happened is collected as events for the trainer to pass on."""

    def __init__(
        self, run: RunFolder, recipe: Recipe, world: World, metadata: dict[str, str], sync_journal: Callable[[], None]
    ) -> None:
        self.folder, self.keep = run.checkpoints, recipe.checkpoint.keep
        self.world, self.metadata, self.sync_journal = world, metadata, sync_journal
        self.failure: TrainingError | None = None
        self._jobs: queue.Queue[Job | None] = queue.Queue(maxsize=1)
        self._done: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="checkpoint-saver", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        return self._jobs.unfinished_tasks > 0

    def submit(self, job: Job) -> None:
        """Hand a copy over; waits only when one is being written and another is waiting already."""
        self._jobs.put(job)

    def events(self) -> Iterator[Event]:
        """What has happened since the last call. Raises TrainingError when a checkpoint could not be written."""
        yield from self.drain()
        if self.failure:
            raise self.failure

    def drain(self) -> Iterator[Event]:
        """What has happened since the last call, whether it went well or not."""
        while not self._done.empty():
            yield self._done.get()

    def finish(self) -> None:
        """Wait until all that was handed over is on disk."""
        self._jobs.join()

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while job := self._jobs.get():
            try:
                self._save(job)
            except OSError as error:
                where = error.filename or self.folder
                self._fail(job, TrainingError("disk", f"checkpoint not written: {error.strerror}: {where}"))
            except TrainingError as error:
                self._fail(job, error)
            except Exception as error:  # whatever it was, training must hear of it rather than go on unsaved
                traceback.print_exc()
                self._fail(job, TrainingError("checkpoint", f"checkpoint not written: {type(error).__name__}: {error}"))
            finally:
                self._jobs.task_done()
        self._jobs.task_done()

    def _save(self, job: Job) -> None:
        started, progress = time.monotonic(), job.snapshot.progress
        if not job.snapshot.finite():
            raise TrainingError("diverged", f"a weight is NaN or infinite at step {progress.step}; nothing was saved")
        files = job.snapshot.files(self.world, self.metadata)
        manifest = Manifest(step=progress.step, epoch=job.epoch, name=job.name, reason=job.reason, files={})
        folder = checkpoint.publish(self.folder, manifest, files, self.sync_journal)
        if job.best:
            checkpoint.point(self.folder, "best", Best(folder.name, job.best.metric, job.best.value))
        self._done.put(
            CheckpointSaved(
                checkpoint=folder.name,
                step=progress.step,
                epoch=job.epoch,
                name=job.name,
                reason=job.reason,
                best=job.best is not None,
                bytes=sum(map(len, files.values())),
                delay=job.delay,
                seconds=time.monotonic() - started,
            )
        )
        if job.command:
            self._done.put(CommandAccepted(id=job.command, command="Save", step=progress.step, note=f"saved {folder.name}"))
        for name in checkpoint.prune(self.folder, self.keep):
            self._done.put(CheckpointRemoved(checkpoint=name, reason=f"older than the last {self.keep}"))

    def _fail(self, job: Job, error: TrainingError) -> None:
        self._done.put(MessageLogged(level="error", text=error.reason))
        if job.command:
            step = job.snapshot.progress.step
            self._done.put(CommandRejected(id=job.command, command="Save", step=step, reason=error.reason))
        self.failure = self.failure or error  # last: whoever sees it finds the answers there


def newest_weights(folder: Path) -> str:
    """Of the newest checkpoint in a run's folder of checkpoints, relative to the run; empty when there is none."""
    found = checkpoint.listing(folder)
    return weights_path(found[-1].name) if found else ""


def weights_path(name: str) -> str:
    """Of a checkpoint, relative to the run folder."""
    return f"checkpoints/{name}/{WEIGHTS}"
