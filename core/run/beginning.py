"""Where a session begins: at the newest good checkpoint of the run, or at its start."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core import checkpoint
from core.errors import UserError
from core.events import CheckpointSaved, Event, RunResumed, RunStarted
from core.fallback import newest_good
from core.run import journal, line
from core.run.folder import RunFile, RunFolder
from core.run.resume import about, changes_not_in, check_length, refuse_change, repair_best, resumed
from core.training.progress import Amendment, Progress

if TYPE_CHECKING:
    from core.training.setup import Setup
    from core.training.snapshot import SavedState
    from core.training.trainer import Trainer


class Place(NamedTuple):
    """``again`` are live changes that came later than the checkpoint."""

    progress: Progress
    checkpoint: str = ""
    saved: SavedState | None = None
    again: tuple[Amendment, ...] = ()
    warnings: tuple[str, ...] = ()
    cleared: tuple[Event, ...] = ()
    """What became of checkpoints that the run had been taken back behind."""

    def told(self, setup: Setup, run: RunFile) -> RunStarted | RunResumed:
        """How the session says that it begins here."""
        if self.saved is None:
            return RunStarted(**about(setup, run, self.progress))
        return resumed(setup, run, self.checkpoint, self.saved)


def find_place(run: RunFolder, run_file: RunFile, setup: Setup, allowed: Collection[str]) -> Place:
    """Also puts the checkpoint's tensors into ``setup``. Raises UserError when none is good, or when what has changed since is
    not ``allowed``."""
    cleared = _cleared(run)
    try:
        folder, aside, saved = _restore(run, run_file, setup, allowed)
    except FileNotFoundError:
        if journal.find(run.journal, CheckpointSaved):
            raise UserError(
                f"{run.checkpoints}: the checkpoints are gone; restore one from a copy, or begin a new run"
            ) from None
        again = bool(journal.find(run.journal, RunStarted))
        return Place(Progress(), warnings=("ended before its first checkpoint; begins again",) if again else ())
    repair_best(run.checkpoints, saved.progress, setup.recipe)
    return Place(saved.progress, folder.name, saved, changes_not_in(saved.progress, run), tuple(aside), cleared)


def _cleared(run: RunFolder) -> tuple[Event, ...]:
    """A kill may have come between the word that the run was taken back and this."""
    try:
        return tuple(line.present(run).clear(run.checkpoints))
    except OSError as error:
        where = error.filename or run.checkpoints
        raise UserError(f"{where}: cannot be taken out of the way: {error.strerror}; mend that, then resume") from None


def extension(trainer: Trainer, epochs: int | None) -> Iterator[Event]:
    """Give a run another length, where one was asked for; raises UserError when it has gone further already."""
    from core.training.steering import extend

    progress = trainer.progress
    if epochs is None or (epochs == trainer.epochs and not progress.watch.stopped):
        return
    if epochs < trainer.epoch or epochs <= progress.validated:
        raise UserError(f"--epochs {epochs}: epoch {trainer.epoch} was under way; expected that or more")
    yield extend(trainer, epochs)


def taken_back(trainer: Trainer, which: str | None) -> Iterator[Event]:
    """Begin at a checkpoint of the person's choice, where one was asked for, as if the session had been told to go back to it.
    Raises UserError, before anything is said or changed, when it cannot be."""
    from core.training import rewinding
    from core.training.control import Refused

    if which is None:
        return
    try:
        yield from rewinding.take_back(trainer, which, command="")
    except Refused as refused:
        raise UserError(f"--from {which}: {refused}") from None
    trainer.moved = False  # nothing was under way


def _restore(run: RunFolder, run_file: RunFile, setup: Setup, allowed: Collection[str]) -> tuple[Path, list[str], SavedState]:
    from core.training import snapshot

    states: list[SavedState] = []

    def accept(_: Path, manifest: checkpoint.Manifest, files: dict[str, bytes]) -> None:
        checkpoint.check_run(manifest, run_file.id)
        saved = snapshot.read_state(files)
        changed = refuse_change(saved.world, setup.world, allowed)
        try:
            states.append(snapshot.restore(files, setup.network, setup.optimizer, setup.average, setup.scaler))
        except checkpoint.Damaged as error:
            if not changed:
                raise
            raise UserError(f"the checkpoint does not fit the changed {changed}: {error}") from None
        check_length(saved.progress, setup.steps_per_epoch)

    folder, aside = newest_good(run.checkpoints, accept)
    return folder, aside, states[-1]
