"""One small recipe for each mechanism that a resume has to carry over."""

from __future__ import annotations

from typing import Any

from core.recipe import Recipe
from tests.core.training import tiny

SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True}
MUON = {"name": "muon", "lr": 0.05, "momentum": 0.6, "nesterov": True, "vector_lr": 0.1, "head_lr": 0.2, "weight_decay": 1e-3}
CONVNET = {"name": "convnet", "widths": [8, 8]}
RECIPES: dict[str, dict[str, Any]] = {
    "seed-like": {"early_stopping": {"patience": 2}},
    "average": {"averaging": {"decay": 0.9, "every": 2}},
    "muon": {"optimizer": {**MUON, "lookahead_steps": 4}, "model": CONVNET, "schedule": {"name": "linear", "per": "step"}},
    "mixing": {"mixing": {"mixup": 0.4, "cutmix": 1.0, "p": 0.8}},
    "sam": {"optimizer": {**SGD, "sam": 0.05, "clip_norm": 1.0}},
    "all of them": {
        "optimizer": {**MUON, "clip_norm": 1.0, "lookahead_steps": 4, "sam": 0.05},
        "averaging": {"decay": 0.9, "every": 2},
        "mixing": {"mixup": 0.4, "cutmix": 1.0, "p": 0.8},
    },
    "low resolution": {
        "model": CONVNET,
        "augment": [{"name": "crop", "fill": "reflect"}, {"name": "flip", "alternate": True}],
        "low_resolution": [{"size": 24, "epochs": 1}],
    },
}


TAKEN_BACK = "taken back"
"""A recipe whose run is told to go back to a checkpoint, and to leave without saving, among other things."""
OTHERS: dict[str, dict[str, Any]] = {
    TAKEN_BACK: RECIPES["seed-like"],
    "seldom saved": {**RECIPES["seed-like"], "checkpoint": {"every_seconds": 0, "keep": 2}},
    "compiled": {**RECIPES["seed-like"], "compile": True},
}
"""For tests of their own."""


def recipe(name: str) -> Recipe:
    """A checkpoint after nearly every step, of which few are kept, so that saving and pruning go on all the time."""
    return tiny(**{"epochs": 3, "checkpoint": {"every_seconds": 0.01, "keep": 2}, **{**RECIPES, **OTHERS}[name]})
