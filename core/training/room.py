"""Room on the disk: how much a checkpoint takes, and what a training does while the disk takes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from torch import Tensor

from core import checkpoint
from core.events import Event, MessageLogged, RunContinued, RunPaused
from core.run import disk
from core.training.setup import Setup
from core.view.words import format_bytes

if TYPE_CHECKING:
    from core.training.trainer import Trainer

RETRY = 3.0
"""Seconds between two attempts."""


def checkpoint_bytes(setup: Setup) -> int:
    """About how large a checkpoint is once the optimizer has taken a step."""
    network = _bytes(setup.network.state_dict().values())
    trained = _bytes(parameter for group in setup.optimizer.param_groups for parameter in group["params"])
    return network * (2 if setup.average else 1) + trained * setup.recipe.optimizer.tensors_kept


def watch(trainer: Trainer) -> Iterator[Event]:
    """Say when the disk begins to refuse and when it takes everything again, which is tried every ``RETRY`` seconds. Raises
    TrainingError for trouble that waiting does not end."""
    if trainer.hindrance and trainer.retry_due():
        trainer.saver.retry()
        trainer.retried_at = time.monotonic()
    trouble = trainer.saver.trouble
    if trouble and not disk.passes(trouble):
        raise disk.lasting(trouble)
    if trouble and disk.words(trouble) != trainer.hindrance:
        yield from _held_up(trainer, trouble)
    elif trainer.hindrance and not trouble:
        before, trainer.hindrance = trainer.hindrance, ""
        trainer.begin_anew()
        yield RunContinued(step=trainer.progress.step, epoch=trainer.epoch, reason=before)


def retry_due(trainer: Trainer) -> bool:
    return time.monotonic() - trainer.retried_at >= RETRY


def _held_up(trainer: Trainer, trouble: OSError) -> Iterator[Event]:
    yield from trainer.close_window()
    trainer.hindrance, trainer.retried_at = disk.words(trouble), time.monotonic()
    free = disk.free_bytes(trainer.saver.folder)
    left = "" if free is None else f", {format_bytes(free)} free"
    where = f"{trainer.saver.folder.parent} ({trouble.strerror}{left})"
    yield MessageLogged(
        level="error", text=f"{trainer.hindrance}: nothing can be saved in {where}; training waits until it can"
    )
    yield RunPaused(step=trainer.progress.step, epoch=trainer.epoch, reason=trainer.hindrance)


def unsaved(trainer: Trainer) -> str:
    """What to add to the reason of an end at which the newest state was not saved."""
    trouble = trainer.saver.trouble
    if not trouble or not trainer.saver.holds:
        return ""
    found = checkpoint.listing(trainer.saver.folder)
    good = f"the last good checkpoint is {found[-1].name}" if found else "there is no checkpoint"
    return f"; the newest state was not saved ({disk.words(trouble)}), {good}"


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
