"""Checkpoints written beside training: the trainer hands over a copy of its tensors and goes on."""

from __future__ import annotations

import contextlib
import hashlib
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from core import checkpoint
from core.checkpoint import WEIGHTS, Best, Damaged, FileEntry, Manifest
from core.errors import TrainingError
from core.events import CheckpointRemoved, CheckpointSaved, CommandAccepted, CommandRejected, Event, MessageLogged
from core.recipe import Recipe
from core.run import disk
from core.run import line as lines
from core.run.folder import RunFolder
from core.run.media import Media
from core.training.device import on_one_thread
from core.training.job import Job, worth_writing
from core.training.snapshot import World


class Saver:
    """One thread, one job under way and one waiting. What happened is collected as events for the trainer to pass on.

    What the disk does not take is held, and tried again when the trainer says so. ``journal_trouble`` tells why the journal
    cannot be written now.
    """

    writes = True
    """Whether what is handed over gets to the disk at all."""

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        world: World,
        metadata: dict[str, str],
        sync_journal: Callable[[], None],
        journal_trouble: Callable[[], OSError | None] = lambda: None,
    ) -> None:
        self.folder, self.keep, self.identity = run.checkpoints, recipe.checkpoint.keep, run.identity()
        self.world, self.metadata = world, metadata
        self.media = Media(run.media)
        self.sync_journal, self.journal_trouble = sync_journal, journal_trouble
        self.failure: TrainingError | None = None
        self._line = lines.present(run)
        self._cleared = self._line == lines.Line()
        """Whether the checkpoints that it left behind are out of the way."""
        self._trouble: OSError | None = None
        self._held: list[Job] = []
        self._jobs: queue.Queue[Job | None] = queue.Queue(maxsize=1)
        self._done: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="checkpoint-saver", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        return self._jobs.unfinished_tasks > 0

    @property
    def trouble(self) -> OSError | None:
        """Why a checkpoint or the journal cannot be written now."""
        return self.own_trouble

    @property
    def own_trouble(self) -> OSError | None:
        """The same as far as this process knows."""
        return self._trouble or self.journal_trouble()

    @property
    def holds(self) -> bool:
        """Whether something was handed over that the disk did not take."""
        return bool(self._held)

    def submit(self, job: Job) -> None:
        """Hand a copy over; waits only when one is being written and another is waiting already."""
        self._jobs.put(job)

    def events(self) -> Iterator[Event]:
        """What has happened since the last call. Raises TrainingError when a checkpoint will never be written."""
        yield from self.drain()
        if self.failure:
            raise self.failure

    def drain(self) -> Iterator[Event]:
        """What has happened since the last call, whether it went well or not."""
        while not self._done.empty():
            yield self._done.get()

    def finish(self) -> None:
        """Wait until all that was handed over is on disk, or held."""
        self._jobs.join()

    def retry(self) -> None:
        """Try once more what the disk did not take, the journal first, and wait for the outcome."""
        self.finish()
        with contextlib.suppress(OSError):  # the journal says itself what is wrong with it
            self.sync_journal()
        checkpoint.sweep(self.folder)  # of attempts that could not even be cleared away
        self._write()

    def leave_behind(self, checkpoint: str) -> None:
        """The run was taken back to that checkpoint, which was said, and all that was handed over is written: what is later no
        longer counts."""
        self._line, self._cleared = self._line.after(checkpoint), False
        self._write()

    def _clear(self) -> None:
        if self._cleared:
            return
        self.sync_journal()
        for event in self._line.clear(self.folder):
            self._done.put(event)
        self._cleared = True

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        on_one_thread()
        while job := self._jobs.get():
            self._held = worth_writing([*self._held, job])
            self._write()
            self._jobs.task_done()
        self._jobs.task_done()

    def _write(self) -> None:
        """Write what is held, the oldest first, as far as the disk takes it."""
        try:
            self._clear()
        except OSError as error:
            self._refuse(error)
            return
        while self._held:
            job = self._held[0]
            try:
                self._save(job)
            except OSError as error:
                if disk.passes(error):
                    self._refuse(error)
                    return
                where = error.filename or self.folder
                self._fail(job, TrainingError("disk", f"checkpoint not written: {error.strerror}: {where}"))
            except TrainingError as error:
                self._fail(job, error)
            except Exception as error:  # whatever it was, training must hear of it rather than go on unsaved
                with contextlib.suppress(OSError):  # the log may lie on a full disk
                    traceback.print_exc()
                self._fail(job, TrainingError("checkpoint", f"checkpoint not written: {type(error).__name__}: {error}"))
            self._held.pop(0)
        self._trouble = None

    def _save(self, job: Job) -> None:
        started, progress = time.monotonic(), job.snapshot.progress
        if not job.snapshot.finite():
            what = f"a weight or the optimizer's state is NaN or infinite at step {progress.step}"
            raise TrainingError("diverged", f"{what}; nothing was saved")
        files = job.snapshot.files(self.world, self.metadata)
        folder = self._published(job, files)
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
        self._prune()

    def _published(self, job: Job, files: Mapping[str, bytes]) -> Path:
        """The folder of the job's checkpoint, written unless an attempt before failed only at a pointer to it."""
        if self._trouble and (before := same_checkpoint(self.folder, job.snapshot.progress.step, files)):
            checkpoint.point(self.folder, "last", Best(before.name))
            return before
        manifest = Manifest(
            step=job.snapshot.progress.step, epoch=job.epoch, name=job.name, reason=job.reason, run=self.identity,
            command=job.command, line=self._line.number, files={},
        )  # fmt: skip
        return checkpoint.publish(self.folder, manifest, files, self.sync_journal)

    def _prune(self) -> None:
        """Not worth an error: what stays is removed after the next checkpoint."""
        try:
            for name in checkpoint.prune(self.folder, self.keep):
                self._done.put(CheckpointRemoved(checkpoint=name, reason=f"older than the last {self.keep}"))
        except OSError as error:
            self._done.put(MessageLogged(level="warning", text=f"old checkpoints not removed: {error.strerror}"))

    def _refuse(self, error: OSError) -> None:
        """The disk takes nothing: whoever asked for a save is told so, and the rest is held."""
        for job in self._held:
            if job.command:
                self._reject(job, f"not saved: {disk.words(error)}")
        self._held = worth_writing([replace(job, name="", command="") for job in self._held])
        self._trouble = error

    def _fail(self, job: Job, error: TrainingError) -> None:
        self._done.put(MessageLogged(level="error", text=error.reason))
        if job.command:
            self._reject(job, error.reason)
        self.failure = self.failure or error  # last: whoever sees it finds the answers there

    def _reject(self, job: Job, reason: str) -> None:
        step = job.snapshot.progress.step
        self._done.put(CommandRejected(id=job.command, command="Save", step=step, reason=reason))


def same_checkpoint(folder: Path, step: int, files: Mapping[str, bytes]) -> Path | None:
    """The newest checkpoint of a step, when it holds these very bytes."""
    found = [entry for entry in checkpoint.listing(folder) if checkpoint.position(entry.name)[0] == step]
    entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}
    try:
        return found[-1] if found and checkpoint.read_manifest(found[-1]).files == entries else None
    except Damaged:
        return None


def newest_weights(folder: Path) -> str:
    """Of the newest checkpoint in a run's folder of checkpoints, relative to the run; empty when there is none."""
    found = checkpoint.listing(folder)
    return weights_path(found[-1].name) if found else ""


def weights_path(name: str) -> str:
    """Of a checkpoint, relative to the run folder."""
    return f"checkpoints/{name}/{WEIGHTS}"
