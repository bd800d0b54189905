"""What can be changed while a run is live, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.events import Setting
from core.training import progress as plan
from core.training.progress import Key

if TYPE_CHECKING:
    from core.training.trainer import Trainer

REPORTED: tuple[Key, ...] = ("epochs", "early_stopping.patience", "early_stopping.enabled")
"""Settings whose values are told when they change; the learning rate is told with every window."""


def present_value(trainer: Trainer, key: Key) -> float:
    """A setting as it stands at the present step."""
    amendments = trainer.progress.amendments
    match key:
        case "learning_rate":
            return trainer.rate
        case "epochs":
            return float(trainer.epochs)
        case "early_stopping.enabled":
            return float(plan.stops_early(trainer.recipe, amendments))
        case "early_stopping.patience":
            return float(plan.patience(trainer.recipe, amendments))


def reported(trainer: Trainer) -> dict[Key, float]:
    return {key: present_value(trainer, key) for key in REPORTED}


def differing(trainer: Trainer, before: Mapping[Key, float]) -> tuple[Setting, ...]:
    """Those that are not as they were ``before``."""
    return tuple(Setting(key, present, before[key]) for key, present in reported(trainer).items() if present != before[key])
