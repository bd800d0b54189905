"""What each command does to a program's own training. Every command is answered by exactly one event."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, Protocol

from core import commands
from core.commands import Command, name_of
from core.events import CommandAccepted, CommandRejected, Event, RemarkAdded, RunContinued, RunPaused, SettingChanged
from core.run.own.course import Course, Wanted
from core.training.control import Refused


class Means(Protocol):
    """What the program lets be done."""

    @property
    def saves(self) -> bool:
        """Whether it can be told to save."""

    def rate(self) -> float | None:
        """Its present learning rate; None where that is its own affair."""


def apply(course: Course, command: Command, means: Means) -> Iterator[Event]:
    """Carry a command out and answer it; a checkpoint is written, and answered for, later."""
    about: dict[str, Any] = {"id": command.id, "command": name_of(command)}
    try:
        note = yield from _carry_out(course, command, means)
    except Refused as refusal:
        yield CommandRejected(**about, step=course.step, reason=str(refusal))
        return
    if note is not None:
        yield CommandAccepted(**about, step=course.step, note=note)


def _carry_out(course: Course, command: Command, means: Means) -> Generator[Event, None, str | None]:
    match command:
        case commands.Pause():
            return (yield from _pause(course))
        case commands.Continue():
            return (yield from _go_on(course))
        case commands.Save(name=name):
            _check(commands.wrong_name(name))
            _check("" if means.saves else "this program gives no way to save: it passes no save function to Run")
            course.wanted.append(Wanted("asked", name, command.id))
            return None
        case commands.Stop():
            return _stop(course, means)
        case commands.StopAfterEpoch():
            _check("" if course.epoch else "no epoch has begun yet")
            course.stops_after_epoch = True
            return f"stops after epoch {course.epoch}"
        case commands.Discard():
            course.discarded = True
            course.leave("discarded on request; nothing was saved")
            return "leaving without saving"
        case commands.Remark(text=text):
            _check(commands.wrong_remark(text))
            yield RemarkAdded(step=course.step, epoch=course.epoch, text=text, command=command.id)
            return "noted"
        case _:
            return (yield from _change(course, command, means))


def _pause(course: Course) -> Generator[Event, None, str]:
    if course.paused:
        return "paused already"
    course.paused = True
    yield RunPaused(step=course.step, epoch=course.epoch)
    return f"paused at step {course.step}"


def _go_on(course: Course) -> Generator[Event, None, str]:
    if not course.paused:
        return "running already"
    course.paused = False
    yield RunContinued(step=course.step, epoch=course.epoch)
    return f"goes on at step {course.step}"


def _stop(course: Course, means: Means) -> str:
    course.leave("stopped on request")
    if not means.saves:
        return "leaving; this program gives no way to save"
    course.wanted.append(Wanted("stopped"))
    return "saving and leaving"


def _change(course: Course, command: Command, means: Means) -> Generator[Event, None, str]:
    match command:
        case commands.SetLearningRate(value=value):
            _check(commands.wrong_rate(value))
            yield _set_rate(course, value, means.rate(), command.id)
        case commands.SetEpochs(value=value):
            _check("" if course.counted else "this program does not loop over run.epochs(), so its length is its own affair")
            _check(commands.wrong_epochs(value, max(course.epoch, 1)))
            previous, course.epochs = course.epochs or 0, value
            yield SettingChanged(
                step=course.step, epoch=course.epoch, key="epochs", value=value, previous=previous, command=command.id
            )
        case commands.SetEarlyStopping():
            raise Refused("this run is trained by its own program, which ends by its own rules")
        case commands.Validate():
            raise Refused("this run is trained by its own program, which measures at its own times")
        case commands.Rewind():
            raise Refused("this run is trained by its own program, which the console cannot take back to a checkpoint")
        case _:
            raise Refused("this version does not know that command")
    return "set"


def _set_rate(course: Course, value: float, present: float | None, command: str) -> SettingChanged:
    if present is None:
        raise Refused("this program does not ask for its learning rate: run.learning_rate(default) would")
    if not present > 0:
        raise Refused(f"the learning rate is {present:g} at this moment, which no factor changes; try again later")
    course.factor *= value / present
    note = "the program's own schedule goes on from it"
    return SettingChanged(
        step=course.step, epoch=course.epoch, key="learning_rate", value=value, previous=present, note=note, command=command
    )


def _check(wrong: str) -> None:
    if wrong:
        raise Refused(wrong)
