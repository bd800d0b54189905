"""What follows an epoch's last step: the watched split is measured, early stopping hears of it, and all is saved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.checkpoint import Best
from core.events import EpochDone, Event, Metrics
from core.training import early_stopping
from core.training.measuring import metrics_of

if TYPE_CHECKING:
    from core.training.trainer import Trainer


def finish_epoch(trainer: Trainer) -> Iterator[Event]:
    progress, recipe, epoch = trainer.progress, trainer.recipe, trainer.epoch
    settings, value, improved = recipe.early_stopping, math.nan, False
    metrics: Metrics = {
        "train.loss": progress.loss_sum / progress.images,
        "train.accuracy": progress.correct / progress.images,
    }
    if recipe.watches:
        result = yield from trainer.measure(settings.split)
        metrics.update(metrics_of(settings.split, result, settings.monitor))
        value = result.value(settings.metric)
        improved = early_stopping.update(progress.watch, settings, value, epoch, progress.step)
    yield EpochDone(epoch=epoch, step=progress.step, seconds=progress.epoch_seconds, metrics=metrics)
    yield from early_stopping.consider(recipe, progress, value, epoch, improved, last=epoch >= trainer.epochs)
    progress.validated = epoch
    progress.loss_sum, progress.correct, progress.images, progress.epoch_seconds = 0.0, 0, 0, 0.0
    trainer.steps.begin_epoch()
    if improved or epoch % recipe.checkpoint.every_epochs == 0 or trainer.over:
        trainer.save("epoch", best=Best("", settings.monitor, value) if improved else None)
    yield from trainer.saver.events()
