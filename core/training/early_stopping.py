"""Whether an epoch is the best so far, and whether the run should end."""

from __future__ import annotations

import math
from collections.abc import Iterator

from core.events import EarlyStopped, EarlyStoppingUpdated, Event, from_number, to_number
from core.recipe import Recipe
from core.sections import EarlyStopping
from core.training.progress import Progress, Watch, patience, stops_early


def update(watch: Watch, settings: EarlyStopping, value: float, epoch: int, step: int) -> bool:
    """Take in an epoch's monitored value; returns whether it is an improvement of at least ``min_delta``."""
    best = to_number(watch.best)
    gain = best - value if settings.metric == "loss" else value - best
    improved = math.isfinite(value) and (watch.best_epoch == 0 or (gain > 0 and gain >= settings.min_delta))
    if improved:
        watch.best, watch.best_epoch, watch.best_step, watch.epochs_since = value, epoch, step, 0
    else:
        watch.epochs_since += 1
    return improved


def consider(recipe: Recipe, progress: Progress, value: float, epoch: int, improved: bool, last: bool) -> Iterator[Event]:
    """Say how early stopping stands after an epoch; ends the run (``watch.stopped``) unless it was the ``last`` one."""
    watch, settings = progress.watch, recipe.early_stopping
    allowed, enabled = patience(recipe, progress.amendments), stops_early(recipe, progress.amendments)
    yield EarlyStoppingUpdated(
        enabled=enabled, metric=recipe.monitor, value=from_number(value), best=watch.best, best_epoch=watch.best_epoch,
        best_step=watch.best_step, epoch=epoch, epochs_since=watch.epochs_since, patience=allowed,
        min_delta=settings.min_delta, improved=improved,
    )  # fmt: skip
    if enabled and watch.epochs_since >= allowed and not last:
        watch.stopped = True
        best = f"{settings.monitor} {to_number(watch.best):.4f} at epoch {watch.best_epoch}"
        epochs = "1 epoch" if watch.epochs_since == 1 else f"{watch.epochs_since} epochs"
        reason = f"{epochs} without an improvement on {best}"
        yield EarlyStopped(epoch=epoch, step=progress.step, reason=reason)
