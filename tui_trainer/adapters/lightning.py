"""Lightning's Trainer in the console::

from tui_trainer.adapters.lightning import ConsoleCallback

Trainer(callbacks=[ConsoleCallback("my model")])
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback

from core.run.own import Run
from core.training import rates
from tui_trainer.adapters import names


class ConsoleCallback(Callback):  # type: ignore[misc]
    """Makes a run of every ``fit``; ``options`` are those of :class:`tui_trainer.Run`. A step is a batch.

    'Save now' and stop write Lightning's own checkpoint, ``model.ckpt``, into the run's folder: go on from it with
    ``trainer.fit(..., ckpt_path=...)``. What is logged as ``val_loss`` or ``val/acc`` is the console's ``val.loss`` and
    ``val.accuracy``.
    """

    def __init__(self, name: str = "lightning", **options: Any) -> None:
        self._name, self._options = name, options
        self.run: Run | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        epochs = trainer.max_epochs if (trainer.max_epochs or 0) > 0 else None
        steps = trainer.num_training_batches
        about: dict[str, Any] = {"epochs": epochs, "model": pl_module, "save_on_every_rank": True, **self._options}
        self.run = run = Run(self._name, **about)
        run.on_save(lambda folder: _save(trainer, folder))
        run.on_learning_rate(lambda factor: rates.scale(trainer.optimizers, _schedulers(trainer), factor))
        known = steps if isinstance(steps, int) else 0
        run.go_on_at(known * trainer.current_epoch or trainer.global_step, trainer.current_epoch)
        run.begin(known)

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        if self.run:
            self.run.epoch_started(steps=True)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if (run := self.run) is None:
            return
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:
            run.log(loss=loss)
        if run.due:  # to gather these takes longer than all else
            run.log(**_gathered(run, trainer))
        if not run.step_done():
            trainer.should_stop = True

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        if self.run:
            self.run.measuring()

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if self.run and not trainer.sanity_checking:
            self.run.validated(**names.of("validation", trainer.callback_metrics))

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if self.run:
            self.run.log(**_gathered(self.run, trainer))
            self.run.epoch_ended()
            trainer.should_stop = trainer.should_stop or self.run.stopping

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        if self.run:
            self.run.close()
            self.run = None

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self.run:
            self.run.close(exception)
            self.run = None


def _save(trainer: Any, folder: Path) -> None:
    trainer.save_checkpoint(folder / "model.ckpt")


def _gathered(run: Run, trainer: Any) -> dict[str, Any]:
    """What the module has logged of its training but the loss, and the rate."""
    found = {name: value for name, value in names.of("train", trainer.callback_metrics).items() if name != "loss"}
    rate = rates.present(trainer.optimizers)
    return found if rate is None else {**found, "learning_rate": run.learning_rate(rate)}


def _schedulers(trainer: Any) -> list[Any]:
    return [config.scheduler for config in trainer.lr_scheduler_configs]
