"""``tui_trainer.Run``: a training loop of one's own, seen and steered from the console."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

from core.errors import UserError
from core.run.own.course import Wanted
from core.run.own.steered import Steered

Batch = TypeVar("Batch")
Save = TypeVar("Save", bound=Callable[[Path], object])


class Run(Steered):
    """A training loop of your own, as a run of the console::

        with tui_trainer.Run("my model", epochs=3) as run:
            for epoch in run.epochs():
                for batch in run.steps(loader):
                    ...
                    run.log(loss=loss, learning_rate=lr)
                run.validated(loss=val_loss, accuracy=val_accuracy)

    It is a folder below ``runs`` (else ``$TUI_TRAINER_RUNS``, else ``./runs``); ``tui-trainer attach`` shows it, and pause,
    stop and 'save now' come into force between two steps. ``save`` is called with a new folder to write a checkpoint into. With
    ``resume=True`` the newest run of this name is gone on with, where there is one, and ``run.resumed`` is the checkpoint to
    load; a name in its place means that run. ``monitor`` is what the best epoch goes by, ``model`` tells the name, the size and
    the device, ``config`` the settings that the console shows and compares.

    A signal to end (Ctrl-C too) saves, ends the loop, and then goes to your program. Under torchrun all ranks make a Run, and
    only the first one writes; they pause and stop at the same step, and must take equally many. ``save`` is called on the
    first rank, or, with ``save_on_every_rank``, on all of them with the same folder.

    Raises :class:`core.errors.UserError` in one line for what cannot be, a second open Run in one process among it.
    """

    def __enter__(self) -> Self:
        return self

    def epochs(self) -> Iterator[int]:
        """1, 2, 3 ... up to the number of epochs, which the console can change; ends early when the run is to stop."""
        self._course.counted = True
        while self._course.goes_on:
            self.epoch_started()
            yield self._course.epoch
            self.epoch_ended()

    def steps(self, batches: Iterable[Batch] | None = None, length: int | None = None) -> Iterator[Batch]:
        """The batches, one for each step; pause, stop and 'save now' come in between. ``length`` is how many, where
        ``len(batches)`` does not tell; without batches it counts from 0. Outside of :meth:`epochs` each call is an epoch."""
        given: Iterable[Any] = count() if batches is None else batches
        if not self._epoch_open or (self._in_pass and not self._course.counted):
            self.epoch_started()
        self._in_pass = True
        self.begin(length or _length(given), getattr(batches, "batch_size", None) or 0)
        self._loop.begin_pass()
        try:
            yield from self._stepped(given)
        finally:
            self._loop.end_pass()
            if self._course.stops_after_epoch and not self._course.counted:
                self._course.leave("stopped after the epoch, as asked")

    def _stepped(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        course, done, meter = self._course, self._loop.step_done, self._loop.telling.meter
        if course.stopping:
            return
        for batch in batches:
            try:
                yield batch
            except GeneratorExit:  # the loop was left by a break: after its step, or before
                if meter.touched:
                    done()
                raise
            done()
            if course.stopping:
                return

    def learning_rate(self, default: float) -> float:
        """The rate to use in this step: yours, times what the console has changed it by. Without this call the console cannot
        change it."""
        course = self._course
        course.rate = default
        return default * course.factor

    def save(self, name: str = "") -> Path | None:
        """Save now, by the function of ``Run(save=...)``; returns the checkpoint's folder, on the first rank."""
        if not self._loop.saver.write:
            raise UserError("run.save(): expected a function that writes a checkpoint into a folder: Run(save=function)")
        self.begin()
        self._loop.telling.close_window(self._course, self._loop.say)
        stepped = self._loop.telling.epoch_told == self._course.epoch
        whole = stepped and not self._loop.stepping and not self._course.stopping
        return self._loop.saver.save(Wanted("epoch" if whole else "asked", name))

    def on_save(self, function: Save) -> Save:
        """Decorates the function that writes a checkpoint into the folder that it is called with."""
        self._loop.saver.write = function
        return function


def _length(batches: Iterable[Any]) -> int:
    """0 where it does not tell: a stream's loader has the method, and raises."""
    try:
        return len(batches)  # type: ignore[arg-type]
    except TypeError:
        return 0
