"""What torch can tell of a training that is somebody else's."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn


class Network(NamedTuple):
    name: str
    parameters: int
    device: str


def network(model: object) -> Network:
    """Of a model of another kind than torch's only its name is known."""
    if not isinstance(model, nn.Module):
        return Network(type(model).__name__, 0, "")
    weights = list(model.parameters())
    device = str(weights[0].device) if weights else ""
    return Network(type(model).__name__, sum(weight.numel() for weight in weights if not _unknown(weight)), device)


def gpu() -> int | None:
    """The CUDA device in use, if any is; none is set up for the question."""
    used = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return torch.cuda.current_device() if used else None


def _unknown(weight: nn.Parameter) -> bool:
    return isinstance(weight, nn.parameter.UninitializedParameter)
