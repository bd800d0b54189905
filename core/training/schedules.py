"""The learning rate as a pure function of (recipe, amendments, step): nothing to save, nothing that a resume can get wrong."""

from __future__ import annotations

import math

from core.recipe import Recipe
from core.training.progress import Amendment, epochs


def learning_rate(recipe: Recipe, amendments: list[Amendment], step: int, steps_per_epoch: int) -> float:
    """The rate of the step after ``step`` completed ones.

    Each amendment of the rate or of the length begins the schedule anew at its step: from the rate given (or the one in
    force there) over what then remains. ``cosine`` per epoch is torch's CosineAnnealingLR with T_max = epochs.
    """
    past = [amendment for amendment in amendments if amendment.step <= step]
    begins = [index for index, amendment in enumerate(past) if amendment.key in ("learning_rate", "epochs")]
    if not begins:
        warmup = _warmup(recipe, step, steps_per_epoch)
        return warmup * _scheduled(recipe, recipe.optimizer.lr, 0, step, recipe.epochs * steps_per_epoch, steps_per_epoch)
    last = begins[-1]
    start = past[last]
    if start.key == "learning_rate":
        rate = start.value
    else:
        rate = learning_rate(
            recipe, past[:last], _last_trained(start.step, recipe, past[:last], steps_per_epoch), steps_per_epoch
        )
    return _scheduled(recipe, rate, start.step, step, epochs(recipe, past) * steps_per_epoch, steps_per_epoch)


def _last_trained(step: int, recipe: Recipe, amendments: list[Amendment], steps_per_epoch: int) -> int:
    """At the end of the plan the rate in force is that of the last step taken, not the zero that would follow it."""
    return min(step, epochs(recipe, amendments) * steps_per_epoch - 1)


def _scheduled(recipe: Recipe, rate: float, start: int, step: int, total: int, steps_per_epoch: int) -> float:
    if recipe.schedule.name == "constant":
        return rate
    if recipe.schedule.per == "epoch":
        start, step, total = (position // steps_per_epoch for position in (start, step, total))
    fraction = (step - start) / max(1, total - start)
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))


def _warmup(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    steps = recipe.schedule.warmup_epochs * steps_per_epoch
    return min(1.0, (step + 1) / steps) if steps else 1.0
