"""Architectures: one file each, found by listing this folder.

A model file defines ``Config`` (a frozen msgspec Struct that forbids unknown fields: the keys of ``[model]`` in a recipe)
and ``build(config, inputs) -> nn.Module`` from uint8-normalised images ``[n, channels, size, size]`` to logits
``[n, classes]``. A file whose name begins with ``_`` is what they share; ``_elsewhere`` has networks of libraries and of the
user's own. Listing imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard, runtime_checkable

import msgspec

from core.errors import UserError
from core.explain import explain

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMS = "torchvision:NAME, timm:NAME or python:package.module:function"
"""Names of networks that lie elsewhere."""


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


def build(settings: dict[str, Any], inputs: Inputs, code: Path | None = None) -> nn.Module:
    """The network that a recipe's ``[model]`` describes, with the initialisation of its own file or library.

    A ``python:`` name is code, which is run only where ``code`` says in which folder its user, who has named it, has it. Raises
    :class:`UserError` that names the key and what was expected.
    """
    name = settings.get("name")
    table = {key: value for key, value in settings.items() if key != "name"}
    if is_elsewhere(name):
        from core.models import _elsewhere

        return _elsewhere.build(name, table, inputs, code)
    if name not in names():
        raise UserError(f"model.name: {name!r} is not known; known are {', '.join(names())}, and {FORMS}")
    module = importlib.import_module(f"{__name__}.{name}")
    try:
        config = msgspec.convert(table, module.Config)
    except msgspec.ValidationError as error:
        raise UserError(explain(str(error), table, module.Config, "model.")) from None
    network: nn.Module = module.build(config, inputs)
    return network


def is_elsewhere(name: object) -> TypeGuard[str]:
    """Whether a model's name is one of ``FORMS``."""
    return isinstance(name, str) and ":" in name


def is_ours(settings: dict[str, Any]) -> bool:
    """Whether a recipe's ``[model]`` is a file of this folder."""
    return not is_elsewhere(settings.get("name"))


def is_code(settings: dict[str, Any]) -> bool:
    """Whether a recipe's ``[model]`` is code of its user's."""
    return str(settings.get("name")).startswith("python:")


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
    """One module with weights or arithmetic of its own, or one without others in it; ``output`` is the shape for one image."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    """Those that train."""
    macs: int
    frozen: int = 0
    """Parameters that do not train."""
    rates: tuple[float, ...] = ()
    """Learning rates of those that train, as the schedule begins from; empty where nobody has asked."""

    @property
    def rate(self) -> str:
        """In words; of several rates the least and the greatest."""
        if self.frozen and not self.parameters:
            return "frozen"
        return "..".join(f"{rate:g}" for rate in dict.fromkeys((*self.rates[:1], *self.rates[-1:])))


def sketch(settings: dict[str, Any], inputs: Inputs, code: Path | None = None) -> nn.Module:
    """The network to be looked at.

    One from elsewhere is tried on images as it will be trained: raises :class:`UserError` where it does not take them, or does
    not give logits ``[n, classes]``. It is there without memory where it can do without, since it may be large; of our own one
    is made, which takes less time than what torch loads for its meta device.
    """
    if not is_elsewhere(name := settings.get("name")):
        return build(settings, inputs)
    from core.models import _elsewhere

    return _elsewhere.sketch(name, lambda: build(settings, inputs, code), inputs, code)


def layers_of(settings: dict[str, Any], network: nn.Module, inputs: Inputs, rates: Mapping[int, float] = {}) -> list[Layer]:
    """The layers of the network that ``settings`` describe in the order of the forward pass, with what each has and does for
    one image.

    Arithmetic is that of matrix products and convolutions, as is usual. ``rates`` are the learning rates of parameters, by
    their ids, where they are to be told.
    """
    import torch

    from core.models import _counting

    device, training = next(network.parameters()).device, network.training
    image = torch.zeros(1, inputs.channels, inputs.size, inputs.size, device=device)
    try:
        return _counting.layers(network, image, network.eval(), rates, is_ours(settings))
    finally:
        network.train(training)


def layers(settings: dict[str, Any], inputs: Inputs, code: Path | None = None) -> list[Layer]:
    """Those of a recipe's network."""
    return layers_of(settings, sketch(settings, inputs, code), inputs)


def count_macs(settings: dict[str, Any], inputs: Inputs, code: Path | None = None) -> int:
    """Multiply-accumulates of one image's forward pass."""
    return sum(layer.macs for layer in layers(settings, inputs, code))
