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


def initialise(network: nn.Module) -> None:
    """Convolutions as in He et al. 2015 (arXiv 1502.01852), by their outputs; biases of linear layers zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
