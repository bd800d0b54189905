"""A ResNet of basic blocks for small images (He et al. 2015, arXiv 1512.03385), in the seed project's parametrisation:
residual layers of ``blocks`` blocks each, the number of channels doubling and the side halving from one to the next."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from torch import Tensor, nn

from core.errors import UserError
from core.models import Inputs
from core.models._layers import activated, convolution

Positive = Annotated[int, Meta(ge=1)]
Blocks = Annotated[int, Meta(ge=1, le=1000)]
OddKernel = Annotated[int, Meta(ge=1, le=7)]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[model]``."""

    blocks: Annotated[tuple[Blocks, ...], Meta(min_length=1, max_length=6)] = (5, 3, 2, 1)
    """Blocks of each residual layer."""
    channels: Positive = 50
    """In the first residual layer."""
    kernel: OddKernel = 3
    skip_kernel: OddKernel = 1
    pool: Positive = 4
    """Side of the average pool before the classifier (pixels)."""
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Share of the pooled features dropped before the classifier."""

    def __post_init__(self) -> None:
        for key in ("kernel", "skip_kernel"):
            if getattr(self, key) % 2 == 0:
                raise ValueError(f"{key} must be odd (given: {getattr(self, key)})")


class BasicBlock(nn.Module):
    """Two convolutions with batch norm, added to the input or to its projection."""

    def __init__(self, channels_in: int, channels: int, stride: int, config: Config) -> None:
        super().__init__()
        self.conv1 = convolution(channels_in, channels, config.kernel, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = convolution(channels, channels, config.kernel)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            projection = convolution(channels_in, channels, config.skip_kernel, stride)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        residual = activated(self.bn1, "relu", self.conv1(x))
        return activated(self.bn2, "relu", self.conv2(residual), plus=self.shortcut(x))


class ResNet(nn.Module):
    """Images ``[n, channels, size, size]`` to logits ``[n, classes]``."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__()
        self.conv1 = convolution(inputs.channels, config.channels, 3)
        self.bn1 = nn.BatchNorm2d(config.channels)
        layers, channels_in = [], config.channels
        for depth, blocks in enumerate(config.blocks):
            channels, stride = config.channels * 2**depth, 1 if depth == 0 else 2
            layers.append(residual_layer(channels_in, channels, blocks, stride, config))
            channels_in = channels
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AvgPool2d(config.pool)
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(channels_in * pooled_side(config, inputs) ** 2, inputs.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = activated(self.bn1, "relu", self.conv1(x))
        x = self.pool(self.layers(x)).flatten(1)
        logits: Tensor = self.linear(self.dropout(x))
        return logits


def build(config: Config, inputs: Inputs) -> nn.Module:
    return ResNet(config, inputs)


def residual_layer(channels_in: int, channels: int, blocks: int, stride: int, config: Config) -> nn.Sequential:
    first = BasicBlock(channels_in, channels, stride, config)
    return nn.Sequential(first, *(BasicBlock(channels, channels, 1, config) for _ in range(blocks - 1)))


def pooled_side(config: Config, inputs: Inputs) -> int:
    """Side of the feature map that reaches the classifier; raises UserError when the pool is larger than what is there."""
    side = inputs.size
    for _ in config.blocks[1:]:
        side = (side + 1) // 2
    if side < config.pool:
        raise UserError(
            f"model.pool: {config.pool} is larger than the {side}x{side} feature map that images of {inputs.size} pixels leave "
            f"after {len(config.blocks)} residual layers; use pool <= {side} or fewer layers"
        )
    return side // config.pool
