"""Training: models, data and the trainer, which says what happens as events. Knows no screen.

Importing this imports no torch; the names below come from their modules when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.exporting import export
    from core.predicted import Prediction, Refused, predict, predictions
    from core.predicting import Evaluation, evaluate
    from core.recipe import Recipe, load

_HOMES = {
    "Recipe": "core.recipe",
    "load": "core.recipe",
    "evaluate": "core.predicting",
    "export": "core.exporting",
    "Evaluation": "core.predicting",
    "predict": "core.predicted",
    "predictions": "core.predicted",
    "Prediction": "core.predicted",
    "Refused": "core.predicted",
}

__all__ = ["Evaluation", "Prediction", "Recipe", "Refused", "evaluate", "export", "load", "predict", "predictions"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'core' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
