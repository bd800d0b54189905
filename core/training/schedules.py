"""The learning rate as a pure function of (recipe, amendments, step): nothing to save, nothing that a resume can get wrong."""

from __future__ import annotations

import math

from core.recipe import Recipe
from core.training.progress import Amendment


def learning_rate(recipe: Recipe, amendments: list[Amendment], step: int, steps_per_epoch: int) -> float:
    """The rate of the step after ``step`` completed ones.

    Each amendment of the rate or of the length begins the schedule anew at its step: from the rate given (or the one in
    force there) over what then remains. ``cosine`` per epoch is torch's CosineAnnealingLR with T_max = epochs; ``linear``
    falls evenly to the same zero. A rate that a person gives ends the warm-up, one that is lower after a divergence does not.
    """
    given = any(item.key == "learning_rate" and not item.attempt and item.step <= step for item in amendments)
    return peak_rate(recipe, amendments, step, steps_per_epoch) * (1.0 if given else _warmup(recipe, step, steps_per_epoch))


def peak_rate(recipe: Recipe, amendments: list[Amendment], step: int, steps_per_epoch: int) -> float:
    """The same, without the warm-up that may be under way."""
    rate, start, total = recipe.optimizer.lr, 0, recipe.epochs * steps_per_epoch
    for amendment in amendments:
        if amendment.step > step:
            break
        if amendment.key == "learning_rate":
            rate, start = amendment.value, amendment.step
        elif amendment.key == "epochs":
            # At the end of the plan the rate in force is that of the last step taken, not the zero that would follow it.
            rate = _scheduled(recipe, rate, start, min(amendment.step, total - 1), total, steps_per_epoch)
            start, total = amendment.step, int(amendment.value) * steps_per_epoch
    return _scheduled(recipe, rate, start, step, total, steps_per_epoch)


def _scheduled(recipe: Recipe, rate: float, start: int, step: int, total: int, steps_per_epoch: int) -> float:
    if recipe.schedule.name == "constant":
        return rate
    if recipe.schedule.per == "epoch":
        start, step, total = (position // steps_per_epoch for position in (start, step, total))
    fraction = min(1.0, (step - start) / max(1, total - start))
    return rate * (1 - fraction if recipe.schedule.name == "linear" else 0.5 * (1 + math.cos(math.pi * fraction)))


def _warmup(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    steps = recipe.schedule.warmup_epochs * steps_per_epoch
    return min(1.0, (step + 1) / steps) if steps else 1.0
