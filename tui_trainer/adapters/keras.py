"""Keras (``KERAS_BACKEND=torch``) in the console::

from tui_trainer.adapters.keras import ConsoleCallback

model.fit(..., callbacks=[ConsoleCallback("my model")])
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras.callbacks import Callback
from keras.optimizers.schedules import LearningRateSchedule

from core.run.own import Run
from tui_trainer.adapters import names


class ConsoleCallback(Callback):  # type: ignore[misc]
    """Makes a run of every ``fit``; ``options`` are those of :class:`tui_trainer.Run`. A step is a batch.

    'Save now' and stop write the whole model, ``model.keras``, into the run's folder. What Keras tells of a batch is the mean
    of its epoch so far.
    """

    def __init__(self, name: str = "keras", **options: Any) -> None:
        super().__init__()
        self._name, self._options = name, options
        self.run: Run | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.run:
            self.run.close()  # of a training before that has failed
        self.run = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.run is None:
            self.run = self._opened(epoch)
        self.run.epoch_started(steps=True)

    def _opened(self, epoch: int) -> Run:
        """Here, since only now it is known which epoch is the first."""
        epochs, steps = self.params.get("epochs"), self.params.get("steps") or 0
        run = Run(self._name, **{"epochs": epochs, "model": self.model, **self._options})
        run.on_save(self._save)
        run.on_learning_rate(self._scale)
        run.go_on_at(epoch * steps, epoch)
        run.begin(steps)
        return run

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (run := self.run) is None:
            return
        run.log(**names.of("train", logs or {}))
        if run.due and (rate := self._rate()) is not None:
            run.log(learning_rate=run.learning_rate(rate))
        if not run.step_done():
            self.model.stop_training = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.run:
            self.run.measuring()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (run := self.run) is None:
            return
        if measured := names.of("validation", logs or {}):
            run.validated(**measured)
        run.epoch_ended()
        if run.stopping:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.run:
            self.run.close()
            self.run = None

    def _save(self, folder: Path) -> None:
        self.model.save(folder / "model.keras")

    def _rate(self) -> float | None:
        """None for a schedule, which nothing can be multiplied in."""
        optimizer = self.model.optimizer
        scheduled = isinstance(getattr(optimizer, "_learning_rate", None), LearningRateSchedule)
        return None if scheduled else float(optimizer.learning_rate)

    def _scale(self, factor: float) -> None:
        optimizer = self.model.optimizer
        optimizer.learning_rate = float(optimizer.learning_rate) * factor
