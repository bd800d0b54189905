"""Taking a training back to a checkpoint because a person asked for it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from core import checkpoint
from core.checkpoint import Damaged
from core.errors import UserError
from core.events import Event, MessageLogged
from core.run import disk, line
from core.run.checkpoints import choose
from core.run.resume import repair_best
from core.training import rollback, snapshot
from core.training.control import Refused
from core.training.rollback import WayBack

if TYPE_CHECKING:
    from core.training.trainer import Trainer


def take_back(trainer: Trainer, which: str, command: str) -> Generator[Event, None, str]:
    """Go back to that checkpoint; returns what to answer. Raises Refused, before anything has changed.

    What the steps since the last window gave is not said any more: it is taken back too, and a divergence in it is what a
    person may want to leave behind.
    """
    saver = trainer.saver
    saver.finish()  # what was handed over is of the line that is left
    yield from saver.events()
    chosen = trainer.way_back(lambda: _chosen(trainer, which))
    back = yield from rollback.rewind(trainer, chosen, "as asked", asked=True, command=command)
    saver.leave_behind(chosen.checkpoint)
    yield from saver.events()
    if saver.writes:
        yield from _best(trainer)
    trainer.moved = True
    return line.told(back)


def _chosen(trainer: Trainer, which: str) -> WayBack:
    """A checkpoint that is whole and of this very run."""
    if trouble := trainer.saver.own_trouble:
        raise Refused(f"{disk.words(trouble)}: nothing can be saved yet, so there would be no way back")
    try:
        folder = choose(trainer.saver.folder, which)
    except UserError as error:
        raise Refused(str(error)) from None
    try:
        manifest, files = checkpoint.read(folder)
        checkpoint.check_run(manifest, trainer.saver.identity)
        was, now = snapshot.read_state(files).world, trainer.setup.world
    except Damaged as error:
        raise Refused(f"checkpoint {folder.name} is damaged ({error})") from None
    if (was.recipe_hash, was.data_fingerprint) != (now.recipe_hash, now.data_fingerprint):
        raise Refused(f"the recipe or the data changed since checkpoint {folder.name}")
    return WayBack(folder.name, files)


def _best(trainer: Trainer) -> Iterator[Event]:
    folder, progress = trainer.saver.folder, trainer.progress
    repair_best(folder, progress, trainer.recipe)
    if progress.watch.best_epoch and checkpoint.pointed(folder, "best") is None:
        gone = f"the weights of the best epoch until here, {progress.watch.best_epoch}, were removed since"
        text = f"{gone}; unless a later epoch is better, the run ends with its last weights"
        yield MessageLogged(level="warning", text=text)
