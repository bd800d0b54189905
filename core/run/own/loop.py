"""Between a program's steps: windows are told, commands are obeyed, checkpoints written. The public side is ``run.py``.

Of several processes of one training (torchrun) all have a Loop; the first one leads, and it alone has a session."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.events import (
    EpochStarted,
    Event,
    MessageLogged,
    RunResumed,
    RunStarted,
)
from core.run.folder import RunFolder
from core.run.own import ranks, steering
from core.run.own.course import Course, Wanted
from core.run.own.ranks import Decision
from core.run.own.saving import Saver
from core.run.own.session import Session
from core.run.own.signals import PassingSignals
from core.run.own.telling import Telling

if TYPE_CHECKING:
    from core.training.ranks import Together

WINDOW = 0.25
"""Seconds that one StepDone covers at the least, and after which commands are looked for; as of a worker."""
NEVER = sys.maxsize


class Loop:
    """What a program's steps lead to."""

    def __init__(self, course: Course, run: RunFolder | None, resumes: bool, about: dict[str, Any], telling: Telling) -> None:
        self.course, self.folder, self.telling = course, run, telling
        self.saver = Saver(course, telling, self)
        self.scale: Callable[[float], object] | None = None
        """Multiplies the rates of an optimizer that is not the program's own affair."""
        self.signals = PassingSignals()
        self.begun = False
        self.resumes, self._about = resumes, about
        self.together: Together | None = None
        self.stepping = self._interrupted = False
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
        return self.saver.able

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
        self.together = ranks.together()
        if self.together:
            told = self.together.text(str(self.folder.path.absolute()) if self.folder else "")
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
            place: dict[str, Any] = {
                "step": self.course.step,
                "epoch": max(self.course.epoch, 1),
                "checkpoint": Path(self.saver.newest).name,
            }
            self.say(RunResumed(**about, **place, bit_exact=False, note=note))
        else:
            self.say(RunStarted(**about))
        if ranks.several() and not self.together:
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
        self._interrupted = False
        if self.stepping:
            self.stepping = False
            self.telling.close_window(self.course, self.say)
            self.telling.pass_ended = time.monotonic()

    def interrupt(self) -> None:
        """A measurement comes, maybe in the middle of an epoch."""
        stepping = self.stepping or self._interrupted
        self.end_pass()
        self._interrupted = stepping

    def go_on_stepping(self) -> None:
        """After a measurement in the middle of an epoch."""
        if self._interrupted:
            self.stepping = True
            self.telling.window_started = self._step_started = time.monotonic()

    @property
    def due(self) -> bool:
        return time.monotonic() >= self._due or self.course.step + 1 >= self._meeting

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
        self._due = now + WINDOW if self.together is None else float("inf")

    def _meet(self, pace: float | None) -> None:
        if self.session:
            self._heed_signal(self.signals.number)
            for command in self.session.take():
                for event in steering.apply(self.course, command, self):
                    self.say(event)
        if self.together:
            self._agree(self.together, 1 if pace is None else max(1, min(int(WINDOW / pace), 10_000)))
        elif self.scale and self.course.factor != 1.0:
            self._scale(self.course.factor)
        self.saver.write_wanted()
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
        if self.together and error is None:  # with one, others may still be waiting for this rank
            self.together.leave()
            self.together = None
        if self.session:
            if error is not None and not isinstance(error, KeyboardInterrupt):
                self.session.log(error)
            self.session.close(last)
