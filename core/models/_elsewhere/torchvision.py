"""torchvision's classifiers, without weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from core.errors import UserError
from core.explain import hint
from core.models import Inputs
from core.models._elsewhere.library import made

CHANNELS = 3
"""That its networks are made for."""


def build(name: str, keys: dict[str, Any], inputs: Inputs) -> nn.Module:
    """Raises UserError."""
    from torchvision import models as library

    known = library.list_models(module=library)
    if name not in known:
        raise UserError(
            f"model.name: torchvision has no classifier {name!r}{hint(name, known)}; it has {', '.join(known[:4])} "
            f"and {len(known) - 4} more"
        )
    network = made(f"torchvision:{name}", getattr(library, name), _settled(name, inputs), keys, inputs)
    if inputs.channels != CHANNELS:
        _take_channels(network, inputs.channels)
    return network


def _settled(name: str, inputs: Inputs) -> dict[str, Any]:
    """What the data and the training decide. A second loss at half the depth, which two of them have, is none of ours."""
    settled: dict[str, Any] = {"weights": None, "num_classes": inputs.classes}
    if name in ("googlenet", "inception_v3"):
        return {**settled, "aux_logits": False, "init_weights": True}
    if name.startswith("vit_"):
        return {**settled, "image_size": inputs.size}
    if name.startswith("maxvit_"):
        return {**settled, "input_size": (inputs.size, inputs.size)}
    return settled


def _take_channels(network: nn.Module, channels: int) -> None:
    """Another first convolution, whose weights are spread as the network's own."""
    name, first = next((name, each) for name, each in network.named_modules() if isinstance(each, nn.Conv2d))
    kernel, stride, padding, bias = first.kernel_size, first.stride, first.padding, first.bias is not None
    taking = nn.Conv2d(channels, first.out_channels, kernel, stride, padding, bias=bias)  # type: ignore[arg-type]
    with torch.no_grad():
        taking.weight.normal_().mul_(first.weight.std())
        if taking.bias is not None:
            taking.bias.zero_()
    network.set_submodule(name, taking)
