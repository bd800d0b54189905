"""Shake-Shake-depth 2 x channels d (Gastaldi 2017, arXiv 1705.07485): residual blocks of two branches which are blended, for
each image, by a random share in the forward pass and by another one in the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from core.models import Inputs
from core.models._layers import convolution, initialise

STEM = 16
STAGES = 3


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[model]``."""

    depth: Annotated[int, Meta(ge=8, le=1000)] = 26
    """Convolutions on the way through one branch, and the linear layer: 2 more than a multiple of 6."""
    channels: Annotated[int, Meta(ge=2)] = 32
    """Of each branch in the first of three stages; they double, and the side halves, from one to the next."""

    def __post_init__(self) -> None:
        if self.depth % 6 != 2:
            raise ValueError(f"depth must be 2 more than a multiple of 6, for instance 14, 20 or 26 (given: {self.depth})")
        if self.channels % 2:
            raise ValueError(f"channels must be even, since the shortcuts halve them (given: {self.channels})")


class Shake(torch.autograd.Function):
    """Of branches [n, c, h, w]: ``forward`` [n, 1, 1, 1] is the first one's share of the output, and ``backward`` [n, 1, 1, 1]
    of the gradient."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
        ctx.save_for_backward(backward)
        return torch.lerp(second, first, forward)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (share,), (gradient,) = ctx.saved_tensors, gradients
        return gradient * share, gradient * (1 - share), None, None


class Shortcut(nn.Module):
    """Two 1x1 convolutions side by side, the second one of the image moved by a pixel down and right, so that with a stride
    of 2 they see different pixels."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = convolution(channels_in, channels // 2, 1)
        self.conv2 = convolution(channels_in, channels // 2, 1)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        moved = F.pad(x, (1, -1, 1, -1))
        halves = self.conv1(self._every_other(x)), self.conv2(self._every_other(moved))
        joined: Tensor = self.bn(torch.cat(halves, 1))
        return joined

    def _every_other(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride]


class Block(nn.Module):
    """Two branches, blended, and added to the input or to its shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.branch1 = branch(channels_in, channels, stride)
        self.branch2 = branch(channels_in, channels, stride)
        self.shortcut = Shortcut(channels_in, channels, stride) if channels_in != channels else None

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(x)
        first, second = self.branch1(activated), self.branch2(activated)
        blended = shaken(first, second) if self.training else (first + second) / 2
        return blended + (x if self.shortcut is None else self.shortcut(activated))


class ShakeShake(nn.Module):
    """Images ``[n, channels, size, size]`` to logits ``[n, classes]``."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__()
        self.conv1 = convolution(inputs.channels, STEM, 3)
        self.bn1 = nn.BatchNorm2d(STEM)
        self.blocks = nn.Sequential(*residual_blocks(config))
        self.linear = nn.Linear(config.channels * 2 ** (STAGES - 1), inputs.classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.blocks(self.bn1(self.conv1(x))))
        logits: Tensor = self.linear(x.mean((2, 3)))
        return logits


def build(config: Config, inputs: Inputs) -> nn.Module:
    return ShakeShake(config, inputs)


def branch(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    """From the activated input on."""
    return nn.Sequential(
        convolution(channels_in, channels, 3, stride),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        convolution(channels, channels, 3),
        nn.BatchNorm2d(channels),
    )


def residual_blocks(config: Config) -> Iterator[Block]:
    channels_in = STEM
    for stage in range(STAGES):
        channels = config.channels * 2**stage
        for index in range((config.depth - 2) // 6):
            yield Block(channels_in, channels, 2 if stage > 0 and index == 0 else 1)
            channels_in = channels


def shaken(first: Tensor, second: Tensor) -> Tensor:
    """The branches [n, c, h, w] blended by random shares; both are drawn here, so that they depend on torch's generator as it
    is in the forward pass alone."""
    forward, backward = torch.rand(2, len(first), 1, 1, 1, device=first.device).to(first.dtype)
    blended: Tensor = Shake.apply(first, second, forward, backward)
    return blended
