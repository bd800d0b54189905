"""What several architectures are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

Activation = Literal["relu", "silu", "gelu"]
ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"relu": F.relu, "silu": F.silu, "gelu": F.gelu}


def convolution(channels_in: int, channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Same-size convolution (before its stride) without a bias, for use beside batch norm; odd ``kernel`` only."""
    return nn.Conv2d(channels_in, channels, kernel, stride, padding=kernel // 2, bias=False)


def halved(convolution: nn.Module, x: Tensor) -> Tensor:
    """The greatest of every 2 x 2 pixels of a convolution's output; the convolution finds it itself where it can."""
    output: Tensor = convolution(x, halve=True) if getattr(convolution, "halves", False) else F.max_pool2d(convolution(x), 2)
    return output


def activated(norm: nn.Module, activation: Activation, x: Tensor, plus: Tensor | None = None) -> Tensor:
    """A norm's output, to which ``plus`` is added, activated; the norm does it itself where it can."""
    if activation in getattr(norm, "activations", ()):
        output: Tensor = norm(x, activation=activation, plus=plus)
        return output
    y = norm(x)
    return ACTIVATIONS[activation](y if plus is None else y + plus)


def initialise(network: nn.Module) -> None:
    """Convolutions as in He et al. 2015 (arXiv 1502.01852), by their outputs; biases of linear layers zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
