"""What a training does that has diverged: it stops, or goes back to its last good checkpoint with a lower learning rate.

Where it goes back to depends on which checkpoints there are. What follows depends on that place alone, so that a run which is
killed at any point of this goes on to the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import checkpoint
from core.checkpoint import Damaged, Manifest
from core.errors import TrainingError, UserError
from core.events import Event, MessageLogged, RunRewound
from core.fallback import newest_good
from core.training import amending, settings, snapshot
from core.training.progress import Amendment, Progress
from core.training.schedules import peak_rate
from core.training.window import Window
from core.view.words import count

if TYPE_CHECKING:
    from core.training.trainer import Trainer


class WayBack(msgspec.Struct):
    """A checkpoint to go back to, as it was read."""

    checkpoint: str
    files: dict[str, bytes]
    aside: list[str] = []
    """What was found damaged and set aside on the way, in words."""


def divergence(window: Window, step: int) -> str:
    """What is no number any more after the window that ended with ``step``, in words; empty when all is well."""
    if not math.isfinite(window.loss):
        return f"the training loss is {window.loss} at step {step}"
    return "" if window.finite else f"a weight or the optimizer's state is NaN or infinite at step {step}"


def recover(trainer: Trainer, trouble: str) -> Iterator[Event]:
    """Roll back and lower the learning rate, as the recipe says. Raises TrainingError, before anything has changed, where it
    says to stop, and when that was tried often enough."""
    chosen, progress = trainer.recipe.divergence, trainer.progress
    if chosen.action == "stop":
        raise TrainingError("diverged", f"{trouble}; lower optimizer.lr")
    saver = trainer.saver
    saver.finish()  # all that was handed over is on disk
    yield from saver.events()
    newest = trainer.way_back(lambda: _newest(trainer, trouble))
    for text in newest.aside:
        yield MessageLogged(level="warning", text=text)
    there = snapshot.read_state(newest.files).progress
    attempt = 1 + attempts(progress.amendments, there)
    if attempt > chosen.most:
        tried = f"rolled back {count(chosen.most, 'time')} into this epoch, down to a learning rate of {trainer.rate:.3g}"
        raise TrainingError("diverged", f"{trouble}; {tried}; begin a new run with a lower optimizer.lr")
    yield from rewind(trainer, newest, trouble)
    peak = peak_rate(trainer.recipe, trainer.progress.amendments, there.step, trainer.setup.steps_per_epoch)
    note = f"{chosen.lr_factor:g} times what it was there, roll-back {attempt} of {chosen.most} into this epoch"
    yield amending.amend(trainer, "learning_rate", peak * chosen.lr_factor, note, attempt=attempt)


def attempts(amendments: list[Amendment], there: Progress) -> int:
    """Roll-backs so far into the epoch of a place to go back to, at that place or before it."""
    found = (item.attempt for item in amendments if item.validated == there.validated and item.place <= there.place)
    return max(found, default=0)


def rewind(
    trainer: Trainer, back: WayBack, reason: str, asked: bool = False, command: str = ""
) -> Generator[Event, None, RunRewound]:
    """Take a training back to a checkpoint: the newest that there is, since a resume would begin at a later one, unless it was
    ``asked`` for by a person, who then leaves the later ones behind.

    Settings that were changed later are as they were there. Raises TrainingError when the checkpoint is damaged.
    """
    setup, amendments, before = trainer.setup, trainer.progress.amendments, settings.reported(trainer)
    try:
        progress = snapshot.restore(back.files, setup.network, setup.optimizer, setup.average, setup.scaler).progress
    except Damaged as error:
        folder = trainer.saver.folder / back.checkpoint
        raise TrainingError("checkpoint", f"{folder}: {error}; wanted because {reason}") from None
    trainer.progress, trainer.saved = progress, progress.copy()
    trainer.steps.go_back(progress)
    trainer.again = [item for item in amendments if item.place <= progress.place and item not in progress.amendments]
    again = list(amending.apply_again(trainer))
    rewound = RunRewound(
        step=progress.step, epoch=trainer.epoch, checkpoint=back.checkpoint, reason=reason, validated=progress.validated,
        settings=settings.differing(trainer, before), asked=asked, command=command,
    )  # fmt: skip
    yield rewound
    yield from again
    return rewound


def _newest(trainer: Trainer, trouble: str) -> WayBack:
    """The newest good checkpoint; raises TrainingError."""
    saver, found = trainer.saver, list[dict[str, bytes]]()

    def accept(_: Path, manifest: Manifest, files: dict[str, bytes]) -> None:
        checkpoint.check_run(manifest, saver.identity)
        snapshot.read_state(files)
        found.append(files)

    if saver.holds:
        raise TrainingError("diverged", f"{trouble}; not rolled back, since the newest state could not be saved")
    try:
        folder, aside = newest_good(saver.folder, accept)
    except (UserError, FileNotFoundError) as error:
        raise TrainingError("checkpoint", f"{trouble}; not rolled back: {error}") from None
    return WayBack(folder.name, found[-1], aside)
