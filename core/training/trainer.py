"""The training loop, as a generator of events. ``core/README.md`` shows it in pseudo-code with every event marked.

It knows no screen, no journal and no process: what it is told comes from a :class:`Control`, what it keeps goes to a
:class:`Saver`, everything else it says by yielding.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import ClassVar

from torch import nn

from core import checkpoint
from core.checkpoint import Best
from core.commands import Command
from core.events import (
    EpochStarted,
    Event,
    RunPaused,
    Split,
    StepDone,
)
from core.sections import Tta
from core.training import amending, closing, compiling, epoch_end, pictures, rollback, room, steering
from core.training import progress as plan
from core.training.control import Control, Leave, Moved
from core.training.evaluation import Result
from core.training.job import Job
from core.training.measuring import measure, measured
from core.training.progress import Amendment, Progress
from core.training.saver import Saver
from core.training.schedules import learning_rate
from core.training.setup import Setup
from core.training.snapshot import Snapshot
from core.training.steps import Steps

WINDOW = 0.25
"""Seconds of steps that one StepDone covers at the least; the device is waited for once per window."""


class Trainer:
    """Trains ``setup.network`` from ``progress`` on.

    ``again`` are amendments that the run had been given for later steps, before it was taken back to ``progress``.
    """

    STEPS: ClassVar[type[Steps]] = Steps

    def __init__(
        self, setup: Setup, progress: Progress, control: Control, saver: Saver, again: tuple[Amendment, ...] = ()
    ) -> None:
        self.setup, self.recipe, self.progress = setup, setup.recipe, progress
        self.control, self.saver, self.again = control, saver, list(again)
        self.steps = self.STEPS(setup, progress)
        self.paused = self.measuring = self.stop_after_epoch = False
        self.moved = False
        """Whether a command has taken the training to another place, which whatever is under way has yet to hear."""
        self._told: deque[Command] = deque()
        self.hindrance, self.retried_at = "", 0.0
        """Why the disk holds the training up, as was said, and when it was tried again (monotonic seconds)."""
        self.saved_at = time.monotonic()
        self.saved: Progress | None = progress.copy() if checkpoint.listing(saver.folder) else None

    @property
    def epochs(self) -> int:
        """The run's length as it stands."""
        return plan.epochs(self.recipe, self.progress.amendments)

    @property
    def epoch(self) -> int:
        """The epoch of the step under way or, after an epoch's last step, that epoch; from 1."""
        return max(self.progress.validated, 1) if self.over else self.progress.validated + 1

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return learning_rate(self.recipe, self.progress.amendments, self.progress.step, self.setup.steps_per_epoch)

    def events(self) -> Iterator[Event]:
        """Everything from here to the end of the run or of this session; raises TrainingError when it cannot go on."""
        self.steps.begin()
        try:
            if self.saved is None:
                self.save("start")
                self.saver.finish()  # before the first step, so that there is always one, and a full disk is met at once
                yield from self.saver.events()
            yield from amending.apply_again(self)
            finished = False
            while not finished:
                try:
                    yield from self._remaining_epochs()
                    finished = yield from closing.finish(self)
                except Moved:
                    self.setup.network.train()  # it may have been in the middle of a measurement
        except Leave as leave:
            yield from closing.leave(self, leave)

    @property
    def over(self) -> bool:
        """Whether no epoch is left to train."""
        return self.progress.watch.stopped or self.progress.validated >= self.epochs

    # Training

    def _remaining_epochs(self) -> Iterator[Event]:
        while not self.over:
            yield from self._train_epoch()
            if not self.over and self.progress.step == self.epoch * self.setup.steps_per_epoch:
                yield from epoch_end.finish_epoch(self)
                if self.stop_after_epoch and not self.over:
                    raise Leave("stopped after the epoch, as asked")

    def _train_epoch(self) -> Iterator[Event]:
        epoch = self.epoch
        if not self._trains(epoch):  # resumed between the last step and the validation
            return
        yield EpochStarted(epoch=epoch, step=self.progress.step, learning_rate=self.rate)
        yield from pictures.of_batch(self, epoch)
        self.steps.open_window()
        while self._trains(epoch):
            yield from self.between_steps()
            if self._trains(epoch):
                yield from compiling.compile_step(self, epoch) if self.steps.must_compile(epoch) else self._step(epoch)

    def _trains(self, epoch: int) -> bool:
        """Whether the next step is one of that epoch; a roll-back may lead into an earlier one."""
        return not self.over and self.epoch == epoch and self.progress.step < epoch * self.setup.steps_per_epoch

    def _step(self, epoch: int) -> Iterator[Event]:
        self.steps.take(epoch, self.rate)
        if self.window_due() or not self._trains(epoch):
            yield from self.close_window()
            yield from self._save_when_due()

    def window_due(self) -> bool:
        return time.monotonic() - self.steps.window_started >= WINDOW

    def retry_due(self) -> bool:
        """Whether to try the disk again that holds the training up."""
        return room.retry_due(self)

    def way_back(self, find: Callable[[], rollback.WayBack]) -> rollback.WayBack:
        """The checkpoint to go back to that ``find`` returns; what it raises is raised."""
        return find()

    def close_window(self) -> Iterator[Event]:
        """Say what the steps since the last window gave. Where they have diverged, the training is at an earlier place
        afterwards, or TrainingError is raised."""
        window = self.steps.close_window()
        if not window:
            return
        step = self.progress.step
        yield StepDone(
            step=step, epoch=self.epoch, steps=window.steps, images=window.images, seconds=window.seconds,
            metrics=window.metrics(told_skipped=self.setup.scaler is not None),
        )  # fmt: skip
        yield from self.steps.told()
        if trouble := rollback.divergence(window, step):
            yield from rollback.recover(self, trouble)

    # What may happen between two steps, or between two batches of a validation

    def between_steps(self) -> Iterator[Event]:
        """Take commands, wait through a pause or for the disk, pass on what the saver did. Raises :class:`Leave` when asked."""
        yield from amending.apply_again(self)
        yield from self._take_commands()
        yield from room.watch(self)
        while self.paused or self.hindrance:
            self.control.wait(0.5)
            yield from self._take_commands()
            yield from room.watch(self)

    def _take_commands(self) -> Iterator[Event]:
        self._heed_signal()
        self._told.extend(told := self.control.take())
        while self._told:  # here and not in a list of this call, since a Validate takes commands meanwhile
            yield from steering.apply(self, self._told.popleft())
        if told:
            self.commands_done()
        yield from self.saver.events()
        if self.moved:
            self.moved = False
            raise Moved

    def commands_done(self) -> None:
        """Those that were told at once have been carried out."""

    def _heed_signal(self) -> None:
        if self.control.signal:
            raise Leave(f"signal {self.control.signal}", self.control.signal)

    def pause(self) -> Iterator[Event]:
        yield from self.close_window()
        self.paused = True
        yield RunPaused(step=self.progress.step, epoch=self.epoch)
        self.save("paused")

    def go_on(self) -> None:
        self.paused = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Leave the time of a pause out of what steps and windows take."""
        self.steps.started = time.monotonic()
        self.steps.open_window()

    # Saving

    def save(self, reason: str, name: str = "", best: Best | None = None, command: str = "") -> None:
        """Hand a copy of everything to the saver. Only after close_window(), which knows that all of it is finite."""
        if (self.saved == self.progress and not (name or best or command)) or not self.saver.writes:
            return
        started = time.monotonic()
        setup = self.setup
        snapshot = Snapshot(setup.network, setup.optimizer, self.progress, setup.average, setup.scaler)
        delay = time.monotonic() - started
        epoch = -(-self.progress.step // self.setup.steps_per_epoch)
        self.saver.submit(Job(snapshot, epoch, reason, delay, name, best, command))
        self.saved, self.saved_at = snapshot.progress, time.monotonic()

    def _save_when_due(self) -> Iterator[Event]:
        every = self.recipe.checkpoint.every_seconds
        if every and time.monotonic() - self.saved_at >= every and not self.saver.busy:
            self.save("time")
        yield from self.saver.events()

    # Measuring

    def measure(
        self, split: Split, other: nn.Module | None = None, name: str = "", tta: Tta = "none"
    ) -> Generator[Event, None, Result]:
        """One pass over a split with the present weights, or with another network's, read from the checkpoint ``name``."""
        self._heed_signal()  # one that came in an epoch's last step need not wait for the first batch
        self.measuring = True
        try:
            passing = measure(self.setup, split, other or self.setup.measured, self._between_batches, tta)
            result, seconds = yield from passing
        finally:
            self.measuring = False
            self.steps.open_window()
        yield measured(split, result, seconds, self.epoch, self.progress.step, self.recipe.monitor, name)
        yield from pictures.of_mistakes(self, split, result, name)
        return result

    def _between_batches(self) -> Iterator[Event]:
        self.steps.started = time.monotonic()
        yield from self.between_steps()
