"""What each command does to a training. Every command is answered by exactly one event."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from core import commands
from core.commands import Command, name_of
from core.events import CommandAccepted, CommandRejected, Event, RemarkAdded, RunContinued, Setting, SettingChanged
from core.run import disk
from core.training import amending, rewinding, room
from core.training.control import Leave, Moved, Refused
from core.training.progress import Amendment, Key
from core.training.schedules import learning_rate

if TYPE_CHECKING:
    from core.training.trainer import Trainer


def apply(trainer: Trainer, command: Command) -> Iterator[Event]:
    """Carry a command out and answer it. Raises ``Leave`` for Stop and Discard, after the answer."""
    try:
        note = yield from _carry_out(trainer, command)
    except Refused as refusal:
        yield _rejected(trainer, command, str(refusal))
        return
    except Moved:
        yield _rejected(trainer, command, "the run was taken back meanwhile")
        raise
    if note is not None:
        yield CommandAccepted(id=command.id, command=name_of(command), step=trainer.progress.step, note=note)
    if isinstance(command, commands.Stop):
        raise Leave("stopped on request")
    if isinstance(command, commands.Discard):
        raise Leave("discarded on request; nothing was saved", discarded=True)


def _rejected(trainer: Trainer, command: Command, reason: str) -> CommandRejected:
    return CommandRejected(id=command.id, command=name_of(command), step=trainer.progress.step, reason=reason)


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
    return amending.amend(trainer, "epochs", epochs, note, command)


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
            _check(commands.wrong_name(command.name))
            trainer.save("asked", name=command.name, command=command.id)
            return None
        case commands.Stop():
            return "saving and leaving"
        case commands.Discard():
            return "leaving without saving"
        case commands.StopAfterEpoch():
            trainer.stop_after_epoch = True
            return f"stops after epoch {trainer.epoch}"
        case commands.Validate():
            return (yield from _measure(trainer))
        case commands.Rewind():
            return (yield from rewinding.take_back(trainer, command.checkpoint, command.id))
        case commands.Remark():
            _check(commands.wrong_remark(command.text))
            yield RemarkAdded(step=step, epoch=trainer.epoch, text=command.text, command=command.id)
            return "noted"
        case _:
            return (yield from _change_setting(trainer, command))


def _measure(trainer: Trainer) -> Generator[Event, None, str]:
    if not trainer.recipe.watches:
        raise Refused("this run holds no images out to measure on; test is measured at its end")
    if trainer.measuring or trainer.paused or trainer.hindrance:
        raise Refused("a split is being measured right now" if trainer.measuring else "paused; continue first")
    yield from trainer.close_window()
    result = yield from trainer.measure(trainer.recipe.early_stopping.split)
    return f"accuracy {result.accuracy:.4f}, loss {result.loss:.4f}"


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
            _check(commands.wrong_rate(value))
            yield amending.amend(trainer, "learning_rate", value, "the schedule goes on from it over what remains", command.id)
        case commands.SetEpochs(value=value):
            _check(commands.wrong_epochs(value, trainer.epoch))
            if value == trainer.epochs and not trainer.progress.watch.stopped:
                return f"{value} already"
            change = extend(trainer, value, command.id)
            yield change
            return change.note
        case commands.SetEarlyStopping(enabled=enabled, patience=patience):
            if not trainer.recipe.watches:
                raise Refused("this run holds no images out that early stopping could go by")
            _check("" if patience is None else commands.wrong_patience(patience))
            yield from _set_early_stopping(trainer, enabled, patience, command.id)
        case _:
            raise Refused("this version does not know that command")
    return "set"


def _set_early_stopping(trainer: Trainer, enabled: bool | None, patience: int | None, command: str) -> Iterator[Event]:
    """Both in one event, which a kill cannot cut in two."""
    wanted: dict[Key, float | None] = {"early_stopping.patience": patience, "early_stopping.enabled": enabled}
    changes = [
        amending.amend(trainer, key, float(value), command=command) for key, value in wanted.items() if value is not None
    ]
    if changes:
        yield replace(changes[0], also=tuple(Setting(item.key, item.value, item.previous) for item in changes[1:]))


def _check(wrong: str) -> None:
    if wrong:
        raise Refused(wrong)
