"""Settings changed live: each is an amendment with its place, so that rate and length stay functions of the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.events import Event, SettingChanged
from core.training import settings
from core.training.progress import Amendment, Key

if TYPE_CHECKING:
    from core.training.trainer import Trainer


def apply_again(trainer: Trainer) -> Iterator[Event]:
    """Let amendments take effect that come due; they are in the order of their places."""
    progress, again = trainer.progress, trainer.again
    while again and again[0].step <= progress.step and again[0].validated <= progress.validated:
        yield _amended(trainer, again.pop(0), again=True)


def amend(trainer: Trainer, key: Key, value: float, note: str = "", command: str = "", attempt: int = 0) -> SettingChanged:
    """Change a setting from here on. What was to come later under the same key is overruled."""
    trainer.again[:] = [amendment for amendment in trainer.again if amendment.key != key]
    amendment = Amendment(trainer.progress.step, key, value, trainer.progress.validated, attempt)
    return _amended(trainer, amendment, note, command=command)


def _amended(trainer: Trainer, amendment: Amendment, note: str = "", again: bool = False, command: str = "") -> SettingChanged:
    previous, progress = settings.present_value(trainer, amendment.key), trainer.progress
    progress.amendments[:] = [*filter(amendment.leaves, progress.amendments), amendment]
    if amendment.key == "epochs" and progress.watch.stopped:  # asked to go on after an early stop: patience begins anew
        progress.watch.stopped, progress.watch.epochs_since = False, 0
    return SettingChanged(
        step=amendment.step, epoch=trainer.epoch, key=amendment.key, value=amendment.value, previous=previous,
        note=note, validated=amendment.validated, again=again, attempt=amendment.attempt, command=command,
    )  # fmt: skip
