"""What a program's training comes to, as events: windows of steps, measurements, epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import UserError
from core.events import EpochDone, Event, MessageLogged, Metrics, StepDone, from_number, to_number
from core.run.own.course import Course
from core.run.own.measuring import Best, Classes, counted, validation
from core.run.own.meter import ALIASES, LATEST, Loggable, Meter, Total
from core.view.words import format_metric

Say = Callable[[Event], None]
RATE = "train.learning_rate"


class Telling:
    def __init__(self, monitor: str) -> None:
        self.meter, self.best = Meter(), Best(monitor)
        self.batch_size = 0
        self.epoch_told = 0
        self.window_started = self.pass_ended = time.monotonic()
        self.diverged = ""
        """What is no number any more, in words, while that is so."""
        self.measured: Metrics = {}
        """The latest of every split."""
        self._window_step = 0
        self._epoch: dict[str, Total] = {}
        self._epoch_metrics: Metrics = {}
        self._epoch_seconds = 0.0

    def go_on_at(self, step: int, epoch: int) -> None:
        self._window_step, self.epoch_told = step, epoch

    def close_window(self, course: Course, say: Say, all: bool = False) -> tuple[int, float]:
        """Tell what was logged since the last one, ``all`` of it even where no step was done since; returns the steps and how
        long they took."""
        steps, seconds = course.step - self._window_step, time.monotonic() - self.window_started
        if not steps and not all:
            return 0, 0.0
        totals = self.meter.close()
        if not steps and not totals:
            return 0, 0.0
        seconds = seconds if steps else 0.0
        metrics = {name: from_number(total.last if name in LATEST else total.mean) for name, total in totals.items()}
        if course.rate is not None:
            metrics.setdefault(RATE, from_number(course.rate * course.factor))
        images = steps * self.batch_size
        if seconds > 0:
            speed = ("system.images_per_second", images) if images else ("system.steps_per_second", steps)
            metrics[speed[0]] = speed[1] / seconds
        say(StepDone(step=course.step, epoch=course.epoch, steps=steps, images=images, seconds=seconds, metrics=metrics))
        self._window_step, self.window_started = course.step, time.monotonic()
        self._epoch_seconds += seconds
        for name, total in totals.items():
            self._epoch[name] = self._epoch.get(name, Total()).plus(total)
        self._look_for_divergence(metrics, course.step, say)
        return steps, seconds

    def measure(
        self, course: Course, say: Say, split: str, values: Mapping[str, Loggable], classes: Classes, confusion: Any
    ) -> bool:
        """Tell a measurement; returns whether it is the best so far."""
        counts = counted(classes, confusion)
        numbers = {ALIASES.get(name, name): _number(name, value) for name, value in values.items()}
        if "accuracy" not in numbers and counts.accuracy is not None:
            numbers["accuracy"] = counts.accuracy
        seconds = time.monotonic() - self.pass_ended
        event = validation(split, numbers, counts, course.step, course.epoch, seconds)
        say(event)
        self.pass_ended = time.monotonic()
        self.measured = {**self.measured, **event.metrics}
        self._epoch_metrics = {**self._epoch_metrics, **event.metrics}
        return self.best.take(event.metrics, course.epoch, course.step)

    def end_epoch(self, course: Course, say: Say, whole: bool) -> None:
        """Once for each that was begun; one that is not ``whole`` is not told as done."""
        self.close_window(course, say, all=True)
        if not whole:
            return
        means = {name: from_number(total.mean) for name, total in self._epoch.items() if name not in LATEST}
        metrics = {**means, **self._epoch_metrics}
        say(EpochDone(epoch=course.epoch, step=course.step, seconds=self._epoch_seconds, metrics=metrics))
        say(self.best.told(course.epoch))
        self._epoch, self._epoch_metrics, self._epoch_seconds = {}, {}, 0.0

    def _look_for_divergence(self, metrics: Metrics, step: int, say: Say) -> None:
        if "train.loss" not in metrics:
            return
        loss = to_number(metrics["train.loss"])
        before, self.diverged = self.diverged, "" if math.isfinite(loss) else f"train.loss is {format_metric('loss', loss)}"
        if self.diverged and not before:
            say(MessageLogged(level="warning", text=f"{self.diverged} at step {step}: the training has diverged"))


def _number(name: str, value: Loggable) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"validated({name}=...): expected one number, and a {type(value).__name__} was given") from None
