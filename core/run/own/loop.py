"""Between a program's steps: windows are told, commands are obeyed, checkpoints written. The public side is ``run.py``.

Of several processes of one training (torchrun) all have a Loop; the first one leads, and it alone has a session."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.events import (
    CheckpointSaved,
    CommandAccepted,
    CommandRejected,
    EpochStarted,
    Event,
    MessageLogged,
    RunResumed,
    RunStarted,
)
from core.run.folder import RunFolder
from core.run.own import ranks, saving, steering
from core.run.own.course import Course, Wanted
from core.run.own.ranks import Decision
from core.run.own.session import Session
from core.run.own.signals import PassingSignals
from core.run.own.telling import Telling

if TYPE_CHECKING:
    from core.training.ranks import Together

WINDOW = 0.25
"""Seconds that one StepDone covers at the least, and after which commands are looked for; as of a worker."""
NEVER = sys.maxsize


class Loop:
    """``save`` writes a checkpoint into a folder; ``ask`` has one written later, by who calls ``saved`` then; ``scale``
    multiplies the learning rates of an optimizer that is not the program's own affair."""

    def __init__(self, course: Course, run: RunFolder | None, resumes: bool, about: dict[str, Any], telling: Telling) -> None:
        self.course, self.folder, self.telling = course, run, telling
        self.save: Callable[[Path], object] | None = None
        self.ask: Callable[[], object] | None = None
        self.scale: Callable[[float], object] | None = None
        self.everywhere = False
        """Whether all ranks save."""
        self.signals = PassingSignals()
        self.begun = False
        self.newest = ""
        """Checkpoint of the program's own."""
        self.resumes, self._about = resumes, about
        self._together: Together | None = None
        self._asked: list[Wanted] = []
        self.stepping = False
        self._step_started = 0.0
        self._due, self._meeting = 0.0, NEVER
        self.session = Session(run, self, self.signals) if run else None

    # What the session asks

    def beat(self) -> tuple[int, float]:
        waits = self.course.paused or not self.stepping
        return self.course.step, 0.0 if waits else time.monotonic() - self._step_started

    # What steering asks

    @property
    def saves(self) -> bool:
        return bool(self.save or self.ask)

    def rate(self) -> float | None:
        return None if self.course.rate is None else self.course.rate * self.course.factor

    # The course of things

    def say(self, event: Event) -> None:
        if self.session:
            self.session.say(event)

    def begin(self, steps_per_epoch: int = 0, batch_size: int = 0) -> None:
        """Once, when it is known how long an epoch is, or will not be known; on all ranks at the same place."""
        if self.begun:
            return
        self.begun = True
        self._together = ranks.together()
        if self._together:
            told = self._together.text(str(self.folder.path.absolute()) if self.folder else "")
            self.folder = RunFolder(Path(told))
        self.telling.batch_size = batch_size
        self._tell_beginning({**self._about, "steps_per_epoch": steps_per_epoch, "batch_size": batch_size})

    def _tell_beginning(self, about: dict[str, Any]) -> None:
        if self.session is None:
            return
        if "torch" in sys.modules:
            from core.training import seen

            self.session.pulse.gpu = seen.gpu()
        about["epochs"] = self.course.epochs or 0
        if self.resumes:
            note = "its own program goes on from what it has saved"
            place: dict[str, Any] = {"step": self.course.step, "epoch": max(self.course.epoch, 1), "checkpoint": Path(self.newest).name}
            self.say(RunResumed(**about, **place, bit_exact=False, note=note))
        else:
            self.say(RunStarted(**about))
        if ranks.several() and not self._together:
            text = "torch.distributed is not initialised: the console steers the first rank alone"
            self.say(MessageLogged(level="warning", text=text))

    def begin_pass(self) -> None:
        """Steps follow."""
        if self.course.epoch != self.telling.epoch_told:
            self.telling.epoch_told = self.course.epoch
            rate = self.rate() or 0.0
            self.say(EpochStarted(epoch=self.course.epoch, step=self.course.step, learning_rate=rate))
        self.between()
        self.stepping = True

    def end_pass(self) -> None:
        """The last window ends with it, so that what is measured next comes after it."""
        if self.stepping:
            self.stepping = False
            self.telling.close_window(self.course, self.say)
            self.telling.pass_ended = time.monotonic()

    def step_done(self) -> None:
        """Called every step, so that each line here counts."""
        course = self.course
        course.step += 1
        self.telling.meter.touched = False
        now = time.monotonic()
        if now >= self._due or course.step >= self._meeting:
            self.between()
            now = time.monotonic()
        self._step_started = now

    def between(self) -> None:
        """Tell the window, obey, wait through a pause."""
        steps, seconds = self.telling.close_window(self.course, self.say)
        while True:
            self._meet(seconds / steps if steps else None)
            if not self.course.paused or self.course.stopping:
                break
            if self.session:
                self.session.wait(0.5)
        self.telling.window_started = now = time.monotonic()
        self._due = now + WINDOW if self._together is None else float("inf")

    def _meet(self, pace: float | None) -> None:
        if self.session:
            self._heed_signal(self.signals.number)
            for command in self.session.take():
                for event in steering.apply(self.course, command, self):
                    self.say(event)
        if self._together:
            self._agree(self._together, 1 if pace is None else max(1, min(int(WINDOW / pace), 10_000)))
        elif self.scale and self.course.factor != 1.0:
            self._scale(self.course.factor)
        self._write_wanted()
        if self.session:
            self.session.settle()

    def _heed_signal(self, number: int) -> None:
        if number and not self.course.stopping:
            self.course.leave(f"signal {number}", number)
            self.course.wanted += [Wanted("stopped")] * self.saves

    def _agree(self, group: Together, steps: int) -> None:
        course = self.course
        mine = Decision(
            self.signals.number, steps, course.paused, course.stopping, course.stops_after_epoch, len(course.wanted),
            course.epochs or 0, course.factor, course.discarded,
        )  # fmt: skip
        agreed = ranks.agreed(group, mine, leading=self.session is not None)
        unheeded = agreed.signal and not agreed.stopping
        if self.session is None:
            course.paused, course.stopping = bool(agreed.paused), bool(agreed.stopping)
            course.stops_after_epoch, course.discarded = bool(agreed.stops_after_epoch), bool(agreed.discarded)
            course.epochs = int(agreed.epochs) or None
            course.wanted = [Wanted("")] * int(agreed.saves)
            course.factor = agreed.factor
        elif unheeded:
            self.signals.number = int(agreed.signal)
        if self.scale and course.factor != 1.0:
            self._scale(course.factor)
        self._meeting = course.step + (1 if unheeded else int(agreed.steps))

    def _scale(self, factor: float) -> None:
        """The optimizer keeps it from here on."""
        assert self.scale
        self.scale(factor)
        self.course.factor = 1.0

    def close(self, last: Event, error: BaseException | None) -> None:
        self.signals.restore()
        if self.session:
            if error is not None and not isinstance(error, KeyboardInterrupt):
                self.session.log(error)
            self.session.close(last)

    # Checkpoints

    def _write_wanted(self) -> None:
        while self.course.wanted:
            wanted = self.course.wanted.pop(0)
            if self.ask:
                self._asked.append(wanted)
                self.ask()
                continue
            try:
                self.write(wanted)
            except Exception as error:  # whatever somebody else's function raises
                self._tell_failure(wanted, error)

    def write(self, wanted: Wanted) -> Path | None:
        """Raises whatever the program's function does; None where it is another rank's."""
        if not self.save or not self.folder or not (self.session or self.everywhere):
            return None
        meet = self._together.wait if self._together and self.everywhere else lambda: None
        saved = saving.save(self.folder, self.save, self.course.step, meet, mine=self.session is not None)
        if saved is None:
            return None
        self._tell_saved(saved, wanted)
        return self.folder.checkpoints / saved.checkpoint

    def saved(self, place: Path, size: int) -> None:
        """One that was asked for, or not, has been written elsewhere."""
        saved = CheckpointSaved(checkpoint=place.name, step=self.course.step, bytes=size)
        asked, self._asked = self._asked or [Wanted(f"in {place.parent}")], []
        for wanted in asked:
            self._tell_saved(saved, wanted, str(place))
        self.newest = str(place.absolute())

    def _tell_saved(self, saved: CheckpointSaved, wanted: Wanted, where: str = "") -> None:
        self.newest = f"checkpoints/{saved.checkpoint}"
        best = self.telling.best.step == saved.step
        told = msgspec.structs.replace(saved, epoch=self.course.epoch, name=wanted.name, reason=wanted.reason, best=best)
        self.say(told)
        if wanted.command:
            note = f"saved {where or saved.checkpoint}"
            self.say(CommandAccepted(id=wanted.command, command="Save", step=saved.step, note=note))
        if self.session:
            self.session.settle()

    def _tell_failure(self, wanted: Wanted, error: Exception) -> None:
        reason = f"not saved: {type(error).__name__}: {error}"
        if self.session:
            self.session.log(error)
        if wanted.command:
            self.say(CommandRejected(id=wanted.command, command="Save", step=self.course.step, reason=reason))
        else:
            self.say(MessageLogged(level="error", text=reason))
