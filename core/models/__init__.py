"""Architectures: one file each, found by listing this folder.

A model file defines ``Config`` (a frozen msgspec Struct that forbids unknown fields: the keys of ``[model]`` in a recipe)
and ``build(config, inputs) -> nn.Module`` from uint8-normalised images ``[n, channels, size, size]`` to logits
``[n, classes]``. A file whose name begins with ``_`` is what they share. Listing imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from core.errors import UserError
from core.explain import explain

if TYPE_CHECKING:
    from torch import Tensor, nn


@runtime_checkable
class FromData(Protocol):
    """A network whose first weights come from the data."""

    def set_from(self, images: Tensor) -> None:
        """Called once, before the first step, with normalised training images [n, channels, size, size] on its device."""


class Inputs(NamedTuple):
    """What a network is built for."""

    classes: int
    channels: int = 3
    size: int = 32


def names() -> list[str]:
    """The architectures that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def build(settings: dict[str, Any], inputs: Inputs) -> nn.Module:
    """The network that a recipe's ``[model]`` describes, with torch's own initialisation.

    Raises :class:`UserError` that names the key and what was expected.
    """
    name = settings.get("name")
    if name not in names():
        raise UserError(f"model.name: {name!r} is not known; known are {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    table = {key: value for key, value in settings.items() if key != "name"}
    try:
        config = msgspec.convert(table, module.Config)
    except msgspec.ValidationError as error:
        raise UserError(explain(str(error), table, module.Config, "model.")) from None
    network: nn.Module = module.build(config, inputs)
    return network


def count_parameters(network: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def check_limit(parameters: int, limit: int | None) -> None:
    """Raises UserError when a network has more trainable parameters than the recipe allows."""
    if limit is not None and parameters > limit:
        raise UserError(
            f"parameter_limit: the model has {parameters:,} trainable parameters, {parameters - limit:,} more than the limit "
            f"of {limit:,}; make the model smaller, or raise parameter_limit"
        )


class Layer(msgspec.Struct, frozen=True):
    """One module with weights, or one that changes the shape; ``output`` is the shape for one image."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int


def layers(settings: dict[str, Any], inputs: Inputs) -> list[Layer]:
    """The network's leaves in the order of the forward pass, with parameters and multiply-accumulates of one image.

    Convolutions and linear layers are counted, as is usual. One image is really computed, which takes less than what torch
    needs for shapes alone: its meta device would load the compiler.
    """
    import torch

    network = build(settings, inputs).eval()
    image = torch.zeros(1, inputs.channels, inputs.size, inputs.size)
    found: list[Layer] = []

    def note(name: str, module: nn.Module, output: torch.Tensor) -> None:
        weight = getattr(module, "weight", None)
        places = output[0, 0].numel() if output.dim() == 4 else 1
        macs = weight.numel() * places if isinstance(weight, torch.Tensor) and weight.dim() >= 2 else 0
        found.append(Layer(name, type(module).__name__, tuple(output.shape[1:]), count_parameters(module), macs))

    for name, module in network.named_modules():
        if name and not any(module.children()):
            module.register_forward_hook(lambda module, _, output, name=name: note(name, module, output))
    with torch.no_grad():
        network(image)
    return found


def count_macs(settings: dict[str, Any], inputs: Inputs) -> int:
    """Multiply-accumulates of one image's forward pass."""
    return sum(layer.macs for layer in layers(settings, inputs))
