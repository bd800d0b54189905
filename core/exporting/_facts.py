"""What an exported file says of itself, and what an export has to tell. Importing this imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from core.data.sharing import shared_source
from core.predicting import Evaluation
from core.recipe import Recipe

INPUT, OUTPUT = "images", "logits"
"""What input and output of an exported program are called."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """In the metadata of each file, so that it is enough alone."""

    name: str
    """The run's, or the weights file's."""
    checkpoint: str
    classes: tuple[str, ...]
    """By the place of their logits."""
    channels: int
    size: int
    """Side of the images (pixels)."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Of pixel values from 0 to 1, by channel."""
    architecture: str
    """``model.name`` of its recipe."""
    parameters: int
    recipe: str
    recipe_hash: str
    data: str
    """Those that ``test_images`` are of, or else those that it was trained on; without the paths of any machine."""
    precision: str
    """In which ``evaluate`` computed; the file itself computes in fp32."""
    accuracy: float | None = None
    """In fp32, from 0 to 1, on ``test_images`` images; left out where it was not measured."""
    evaluated_accuracy: float | None = None
    """As ``evaluate`` measures it, in its precision."""
    test_images: int = 0
    made_with: str = ""
    """The program and its version."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One file, and how it compares with the network that it is of, after it was loaded anew."""

    path: str
    format: str
    bytes: int
    beside: tuple[str, ...]
    images: int
    largest_difference: float
    """Between two logits of one image and class."""
    tolerance: float
    near_ties: int
    """Images for which ``evaluate`` predicts another class, which is as likely within its precision."""
    accuracy: float | None
    """Of the file itself, on these images; None where they have no labels."""


class Export(msgspec.Struct, frozen=True, kw_only=True):
    facts: Facts
    files: tuple[Written, ...]
    evaluation: Evaluation | None
    """What ``evaluate`` would say of these weights in fp32; None where there were no test images."""
    recipe: Recipe
    """As it is given away, see :func:`shared`."""


def shared(recipe: Recipe) -> Recipe:
    """A recipe without the paths of the machine that it was trained on, which say nothing elsewhere and may say too much."""
    weights = recipe.finetune.weights and Path(recipe.finetune.weights).name
    data = replace(recipe.data, source=shared_source(recipe.data.source), path=None)
    return replace(recipe, data=data, finetune=replace(recipe.finetune, weights=weights))


def texts(facts: Facts) -> dict[str, str]:
    """For metadata that hold texts alone: each fact under its name, as it is when it is a text, else as JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    return {
        key: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for key, value in plain.items()
        if value is not None
    }
