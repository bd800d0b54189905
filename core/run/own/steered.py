"""A run from its opening to its end, and what a loop that is somebody else's, a library's say, tells of itself meanwhile. The
loop of a program's own has more comfort: ``run.py``."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from core.errors import UserError
from core.events import RemarkAdded
from core.run.folder import RunFolder, reference, runs_folder
from core.run.own import ending, opening, ranks
from core.run.own.course import Course
from core.run.own.loop import Loop
from core.run.own.measuring import Classes
from core.run.own.meter import Loggable
from core.run.own.session import warn
from core.run.own.telling import Telling

_open: list[Steered] = []
"""The run of this process, if any."""


class Steered:
    """See :class:`core.run.own.Run`."""

    def __init__(
        self,
        name: str = "run",
        *,
        epochs: int | None = None,
        save: Callable[[Path], object] | None = None,
        resume: bool | str = False,
        classes: Sequence[str] = (),
        monitor: str = "val.loss",
        model: object = None,
        config: Mapping[str, Any] | None = None,
        runs: str | Path | None = None,
        save_on_every_rank: bool = False,
    ) -> None:
        if _open:
            raise UserError(f"run '{_open[0].name}' is open in this process already; close it first: its close(), or its with")
        if epochs is not None and epochs < 1:
            raise UserError(f"Run(epochs={epochs}): expected 1 or more, or None where that is not known")
        self.name: str = name
        """Of the folder; on other ranks as it was given."""
        self.resumed: Path | None = None
        """The checkpoint to load, of a run that is gone on with."""
        self._closed, self._process, self._rank = False, os.getpid(), ranks.rank()
        self._course = Course(epochs=epochs)
        self._loop = loop = self._opened(name, runs, resume, classes, monitor, model, config or {})
        loop.saver.write, loop.saver.everywhere = save, save_on_every_rank
        try:
            if loop.resumes and loop.folder:
                self._go_on(loop, loop.folder)
            loop.signals.catch()
        except BaseException as error:  # who has no run cannot close it
            loop.close(ending.of(self._course, loop.telling, "", error), error)
            raise
        self._in_pass = self._epoch_open = False
        _open.append(self)
        atexit.register(self._left_open)

    def _opened(
        self, name: str, runs: str | Path | None, resume: bool | str, classes: Sequence[str], monitor: str, model: object,
        config: Mapping[str, Any],
    ) -> Loop:  # fmt: skip
        telling = Telling(monitor)
        if self._rank:
            return Loop(self._course, None, False, {}, telling)
        folder, resumes = opening.opened(name, runs_folder(Path(runs) if runs else None), resume, config)
        described, self.name = folder.read(), folder.name
        about = {**opening.about(described, model), "classes": tuple(map(str, classes)), "monitor": monitor}
        warn(f"watch: tui-trainer attach {reference(folder)}")
        return Loop(self._course, folder, resumes, about, telling)

    def _go_on(self, loop: Loop, folder: RunFolder) -> None:
        """From the newest checkpoint; without one the run begins again."""
        saved = opening.last_saved(folder)
        if saved is None:
            loop.resumes = False
            return
        self.resumed = folder.checkpoints / saved.checkpoint
        loop.saver.newest = f"checkpoints/{saved.checkpoint}"
        self.go_on_at(saved.step, saved.epoch if saved.reason == "epoch" else max(saved.epoch - 1, 0))
        opening.apply_again(folder, self._course)
        loop.telling.best = opening.best_before(folder, loop.telling.best.metric, saved.step)

    # What there is to say

    def log(self, **values: Loggable) -> None:
        """Numbers of this step: ``run.log(loss=loss, learning_rate=rate, grad_norm=norm)``. What the console draws are their
        means over a quarter of a second. Tensors are not waited for until then. ``accuracy`` goes from 0 to 1."""
        self._loop.telling.meter.log(values)

    def validated(
        self, *, split: Literal["validation", "test"] = "validation", classes: Classes = (), confusion: Any = None,
        **values: Loggable,
    ) -> bool:  # fmt: skip
        """Tell a measurement: ``run.validated(loss=0.3, accuracy=0.9)``, and by class, as ``classes={"cat": (right, images)}``
        or from ``confusion[true][predicted]`` with the names as ``classes``. Returns whether it is the best so far."""
        self.begin()
        improved = self._loop.telling.measure(self._course, self._loop.say, split, values, classes, confusion)
        if self._loop.stepping and not self._course.counted:  # where no epoch may ever end
            self._loop.say(self._loop.telling.best.told(self._course.epoch))
        self._loop.go_on_stepping()
        return improved

    def remark(self, text: str) -> None:
        """Pin a note to the present step."""
        self._loop.say(RemarkAdded(step=self._course.step, epoch=self._course.epoch, text=text))

    @property
    def stopping(self) -> bool:
        """Whether the run has been told to end; its loops end by themselves."""
        return self._course.stopping

    @property
    def step(self) -> int:
        """Steps done since the beginning of the run."""
        return self._course.step

    @property
    def epoch(self) -> int:
        """Under way, from 1."""
        return self._course.epoch

    @property
    def rank(self) -> int:
        """Of this process among those of the training, from 0."""
        return self._rank

    @property
    def folder(self) -> Path | None:
        """The run's; on other ranks than the first one from the first step on."""
        return self._loop.folder.path if self._loop.folder else None

    # For a loop that is somebody else's, a library's say

    def go_on_at(self, step: int, epoch: int) -> None:
        """Before the first step: your program goes on after this step, with so many whole epochs done."""
        self._course.step, self._course.epoch = step, epoch
        self._loop.telling.go_on_at(step, epoch)

    def begin(self, steps_per_epoch: int | None = None, batch_size: int = 0) -> None:
        """Before the first step, once it is known how many there are in an epoch; 0 where nobody knows."""
        self._loop.begin(steps_per_epoch or 0, batch_size if isinstance(batch_size, int) else 0)

    def epoch_started(self, steps: bool = False) -> None:
        """``steps``: which follow at once."""
        self.epoch_ended()
        self._course.epoch += 1
        self._epoch_open, self._in_pass = True, steps
        if steps:
            self.begin()
            self._loop.begin_pass()

    def measuring(self) -> None:
        """No step is under way any more, until :meth:`validated` or the next epoch."""
        self._loop.interrupt()

    def steps_ended(self) -> None:
        """Of this epoch."""
        self._loop.end_pass()

    @property
    def due(self) -> bool:
        """Whether a window ends with the next step: what takes long to gather is only needed then."""
        return self._loop.due

    @property
    def save_asked(self) -> bool:
        """Whether a checkpoint is to be written by the loop's library, and was not yet."""
        return self._loop.saver.asked

    @property
    def leaves_after_epoch(self) -> bool:
        """Whether it has been told to, and the epoch is not over."""
        return self._course.stops_after_epoch

    def on_learning_rate(self, scale: Callable[[float], object]) -> None:
        """``scale`` multiplies the rates of the loop's optimizer, which go on from there; what they are is told by
        :meth:`learning_rate`."""
        self._loop.scale = scale
        self._course.factor = 1.0  # a rate that was changed before is in the library's own checkpoint

    def on_save_elsewhere(self, ask: Callable[[], object]) -> None:
        """``ask`` has the loop's library save in its own time and place, of which :meth:`saved` tells then."""
        self._loop.saver.ask = ask

    def saved(self, place: Path, size: int) -> None:
        """A checkpoint, of so many bytes, has been written there; 'save now' is answered by it."""
        self._loop.saver.saved(place, size)

    def step_done(self) -> bool:
        """After each step, where it cannot be written with :meth:`steps`; returns whether another one is to follow."""
        self._loop.step_done()
        return not self._course.stopping

    def epoch_ended(self) -> None:
        if self._epoch_open:
            self._epoch_open = False
            self.begin()
            self._loop.end_pass()
            self._loop.telling.end_epoch(self._course, self._loop.say, whole=not self._course.stopping)
            if self._course.stops_after_epoch:
                self._course.leave("stopped after the epoch, as asked")

    # The end

    def close(self, error: BaseException | None = None) -> None:
        """End the run; ``error`` is what has ended the program's loop, if anything. A run is closed once."""
        if self._closed:
            return
        self._closed = True
        _open.remove(self)
        atexit.unregister(self._left_open)
        try:
            if error is None:
                self.begin()
            if self._loop.begun:
                self.epoch_ended()
        finally:
            self._loop.close(ending.of(self._course, self._loop.telling, self._loop.saver.newest, error), error)
        if error is None:
            self._loop.signals.pass_on()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close(error)

    def _left_open(self) -> None:
        """The program has ended without a word, or by an exception; a forked child of it has nothing to say."""
        if os.getpid() == self._process:
            self._course.leave("the program ended without closing its run")
            self._loop.signals.number = 0
            self.close(getattr(sys, "last_exc", getattr(sys, "last_value", None)))
