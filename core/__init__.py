"""Training: models, data and the trainer, which says what happens as events. Knows no screen.

Importing this imports no torch; the names below come from their modules when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.exporting import export
    from core.predicting import Evaluation, Prediction, evaluate, predict
    from core.recipe import Recipe, load

_HOMES = {
    "Recipe": "core.recipe",
    "load": "core.recipe",
    "evaluate": "core.predicting",
    "predict": "core.predicting",
    "export": "core.exporting",
    "Evaluation": "core.predicting",
    "Prediction": "core.predicting",
}

__all__ = ["Evaluation", "Prediction", "Recipe", "evaluate", "export", "load", "predict"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'core' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
