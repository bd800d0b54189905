"""Weights files without a training, for tests of what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from core import models
from core.models import Inputs
from core.recipe import to_table
from core.training.evaluation import Normalisation
from core.training.layout import dense
from core.training.weights_file import About
from tests.core.training import tiny


def weights_of(path: Path, model: dict[str, Any], inputs: Inputs = Inputs(10), code: Path | None = None, **keys: Any) -> Path:
    """Drawn at random; norms have statistics of their own, so that leaving them out would show. ``keys`` are the recipe's."""
    torch.manual_seed(0)
    network = models.build(model, inputs, code)
    for name, buffer in network.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.5, 1.5)
    about = About(
        recipe=to_table(tiny(model=model, **{"precision": "fp32", **keys})),
        classes=tuple(f"class {place}" for place in range(inputs.classes)),
        inputs=inputs,
        normalisation=Normalisation((0.4,) * inputs.channels, (0.2,) * inputs.channels),
    )
    tensors = {name: tensor.clone() for name, tensor in dense(network.state_dict()).items()}
    safetensors.torch.save_file(tensors, path, about.metadata())
    return path
