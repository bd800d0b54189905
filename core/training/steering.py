"""What each command does to a training. Every command is answered by exactly one event."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from core import commands
from core.commands import Command, name_of
from core.events import CommandAccepted, CommandRejected, Event, RemarkAdded, RunContinued, SettingChanged
from core.run import disk
from core.sections import LARGEST_COUNT
from core.training import progress as plan
from core.training import room
from core.training.control import Leave
from core.training.progress import Amendment, Key
from core.training.schedules import learning_rate

if TYPE_CHECKING:
    from core.training.trainer import Trainer


class Refused(Exception):
    """Why a command cannot be carried out, in words."""


def apply(trainer: Trainer, command: Command) -> Iterator[Event]:
    """Carry a command out and answer it. Raises ``Leave`` for Stop, after the answer."""
    try:
        note = yield from _carry_out(trainer, command)
    except Refused as refusal:
        yield CommandRejected(id=command.id, command=name_of(command), step=trainer.progress.step, reason=str(refusal))
        return
    if note is not None:
        yield CommandAccepted(id=command.id, command=name_of(command), step=trainer.progress.step, note=note)
    if isinstance(command, commands.Stop):
        raise Leave("stopped on request")


def present_value(trainer: Trainer, key: Key) -> float:
    """A setting as it stands at the present step."""
    amendments = trainer.progress.amendments
    match key:
        case "learning_rate":
            return trainer.rate
        case "epochs":
            return float(trainer.epochs)
        case "early_stopping.enabled":
            return float(plan.stops_early(trainer.recipe, amendments))
        case "early_stopping.patience":
            return float(plan.patience(trainer.recipe, amendments))


def extend(trainer: Trainer, epochs: int, command: str = "") -> SettingChanged:
    """Another length of the run, with what that does to the schedule in words; ``command`` is the id of what asked for it."""
    progress, recipe = trainer.progress, trainer.recipe
    remaining = epochs - progress.validated
    left = "1 epoch remains" if remaining == 1 else f"{remaining} epochs remain"
    note = left
    if recipe.schedule.name == "cosine":
        amended = [*progress.amendments, Amendment(progress.step, "epochs", epochs, progress.validated)]
        rate = learning_rate(recipe, amended, progress.step, trainer.setup.steps_per_epoch)
        note = f"the cosine anneals anew from the present rate {rate:.3g} over what remains; {left}"
    return trainer.amend("epochs", epochs, note, command)


def _carry_out(trainer: Trainer, command: Command) -> Generator[Event, None, str | None]:
    """Returns the note of the acceptance, or None when the answer comes later (Save, from the saver)."""
    step = trainer.progress.step
    match command:
        case commands.Pause():
            if trainer.paused:
                return "paused already"
            yield from trainer.pause()
            return f"paused at step {trainer.progress.step}"  # a roll-back may have come before it
        case commands.Continue():
            return (yield from _go_on(trainer))
        case commands.Save():
            yield from trainer.close_window()
            trainer.save("asked", name=_checked_name(command.name), command=command.id)
            return None
        case commands.Stop():
            return "saving and leaving"
        case commands.StopAfterEpoch():
            trainer.stop_after_epoch = True
            return f"stops after epoch {trainer.epoch}"
        case commands.Validate():
            if not trainer.recipe.watches:
                raise Refused("this run holds no images out to measure on; test is measured at its end")
            if trainer.measuring or trainer.paused or trainer.hindrance:
                raise Refused("a split is being measured right now" if trainer.measuring else "paused; continue first")
            yield from trainer.close_window()
            result = yield from trainer.measure(trainer.recipe.early_stopping.split)
            return f"accuracy {result.accuracy:.4f}, loss {result.loss:.4f}"
        case commands.Remark():
            yield RemarkAdded(step=step, epoch=trainer.epoch, text=_checked_text(command.text), command=command.id)
            return "noted"
        case _:
            return (yield from _change_setting(trainer, command))


def _go_on(trainer: Trainer) -> Generator[Event, None, str]:
    if not trainer.paused and not trainer.hindrance:
        return "running already"
    if trainer.hindrance:
        trainer.saver.retry()
        if trouble := trainer.saver.trouble:
            raise Refused(f"{disk.words(trouble)}: nothing can be saved yet")
        yield from room.watch(trainer)
    if trainer.paused:
        trainer.go_on()
        yield RunContinued(step=trainer.progress.step, epoch=trainer.epoch)
    return f"goes on at step {trainer.progress.step}"


def _change_setting(trainer: Trainer, command: Command) -> Generator[Event, None, str]:
    yield from trainer.close_window()  # the rate that the window's steps had is still the optimizer's
    match command:
        case commands.SetLearningRate(value=value):
            if not (math.isfinite(value) and 0 < value <= 100):
                raise Refused(f"learning rate {value}: expected a number above 0, at most 100")
            yield trainer.amend("learning_rate", value, "the schedule goes on from it over what remains", command.id)
        case commands.SetEpochs(value=value):
            if not trainer.epoch <= value <= LARGEST_COUNT:
                raise Refused(f"epochs {value}: epoch {trainer.epoch} is under way, so expected that or more")
            if value == trainer.epochs and not trainer.progress.watch.stopped:
                return f"{value} already"
            change = extend(trainer, value, command.id)
            yield change
            return change.note
        case commands.SetEarlyStopping(enabled=enabled, patience=patience):
            if not trainer.recipe.watches:
                raise Refused("this run holds no images out that early stopping could go by")
            if patience is not None and not 1 <= patience <= LARGEST_COUNT:
                raise Refused(f"patience {patience}: expected 1 or more, at most {LARGEST_COUNT:,}")
            if patience is not None:
                yield trainer.amend("early_stopping.patience", patience, command=command.id)
            if enabled is not None:
                yield trainer.amend("early_stopping.enabled", float(enabled), command=command.id)
        case _:
            raise Refused("this version does not know that command")
    return "set"


def _checked_name(name: str) -> str:
    taken = name in ("best", "last") or name.startswith("step-")
    if taken or len(name) > 100 or not name.isprintable():
        raise Refused("name: expected at most 100 printable characters, and not best, last or step-N")
    return name


def _checked_text(text: str) -> str:
    if not text.strip() or len(text) > 2000:
        raise Refused("remark: expected 1 to 2,000 characters")
    return text
