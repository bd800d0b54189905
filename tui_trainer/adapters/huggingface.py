"""Hugging Face's Trainer in the console::

from tui_trainer.adapters.huggingface import ConsoleCallback

Trainer(..., callbacks=[ConsoleCallback("my model")])
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from core.run.own import Run
from core.run.size import folder_bytes
from core.training import rates
from tui_trainer.adapters import names

FIGURES = ("_runtime", "_per_second", "_flos", "epoch")
"""Ends of what is logged beside metrics."""


class ConsoleCallback(TrainerCallback):  # type: ignore[misc]
    """Makes a run of every ``train``; ``options`` are those of :class:`tui_trainer.Run`. A step is an optimizer's.

    'Save now' and stop make the Trainer write a checkpoint of its own into its ``output_dir``: go on from it with
    ``trainer.train(resume_from_checkpoint=...)``. The loss comes as often as ``logging_steps`` says, ``eval_loss`` is the
    console's ``val.loss``.
    """

    def __init__(self, name: str = "huggingface", **options: Any) -> None:
        self._name, self._options = name, options
        self.run: Run | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.run:
            self.run.close()  # of a training before that has failed
        by_steps = args.max_steps > 0
        epochs = None if by_steps else math.ceil(args.num_train_epochs)
        about = {"epochs": epochs, "model": given.get("model"), **self._options}
        self.run = run = Run(self._name, **about)
        run.on_save_elsewhere(lambda: setattr(control, "should_save", True))
        optimizers, schedulers = [given["optimizer"]], [given["lr_scheduler"]]
        run.on_learning_rate(lambda factor: rates.scale(optimizers, schedulers, factor))
        run.go_on_at(state.global_step, int(state.epoch or 0))
        run.begin(0 if by_steps else math.ceil(state.max_steps / args.num_train_epochs))

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.run:
            self.run.epoch_started(steps=True)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if (run := self.run) is None:
            return
        if run.due and (rate := rates.present([given["optimizer"]])) is not None:
            run.log(learning_rate=run.learning_rate(rate))
        if not run.step_done():
            control.should_training_stop = True
        if run.save_asked:  # also between two epochs, where the Trainer forgets what was set
            control.should_save = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **given: Any) -> None:
        if self.run:
            self.run.log(**names.of("train", logs or {}, without=(*FIGURES, "train_loss", "learning_rate")))

    def on_prediction_step(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.run:
            self.run.measuring()

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, Any] | None = None, **given: Any) -> None:
        if self.run:
            self.run.validated(**names.of("validation", metrics or {}, without=FIGURES))

    def on_save(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.run:
            place = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self.run.saved(place, folder_bytes(place))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """What is measured at its end comes after it: the next one ends it for the console."""
        if self.run:
            self.run.steps_ended()
            if self.run.leaves_after_epoch:
                control.should_training_stop = control.should_save = True

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.run:
            self.run.close()
            self.run = None
