"""A pre-activation ResNet of basic blocks for small images (He et al. 2016, arXiv 1603.05027): batch norm and activation come
before each convolution, and nothing follows the sum. Squeeze-and-excitation (arXiv 1709.01507) and stochastic depth (arXiv
1603.09382) by choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from core.models import Inputs
from core.models._layers import Activation, activated, convolution, initialise

Positive = Annotated[int, Meta(ge=1)]
Blocks = Annotated[int, Meta(ge=1, le=1000)]
Stages = Meta(min_length=1, max_length=6)
Share = Annotated[float, Meta(ge=0, lt=1)]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[model]``."""

    blocks: Annotated[tuple[Blocks, ...], Stages] = (4, 4, 3)
    """Blocks of each stage; the side halves from one stage to the next."""
    channels: Annotated[tuple[Positive, ...], Stages] = (64, 128, 256)
    """Of each stage. CPUs and GPUs compute multiples of 16 or 32 fastest."""
    stem: Positive | None = None
    """Channels of the first convolution; as many as the first stage's when left out."""
    activation: Activation = "relu"
    squeeze: Annotated[int, Meta(ge=0)] = 0
    """How many times fewer channels there are between squeeze and excitation, 16 in the paper; 0 for none of it."""
    dropout: Share = 0.0
    """Share of the values dropped between the convolutions of a block."""
    stochastic_depth: Share = 0.0
    """Chance that an image skips the last block; of earlier ones it is less in proportion to their depth."""
    zero_init: bool = False
    """Begin with every block's last convolution at zero, so that the block passes its input on. (A zero scale of the batch
    norm before it would leave a block with ReLU without any gradient.)"""

    def __post_init__(self) -> None:
        if len(self.blocks) != len(self.channels):
            raise ValueError(
                f"blocks and channels must list equally many stages (given: {len(self.blocks)} and {len(self.channels)})"
            )


class Excitation(nn.Module):
    """Each channel scaled by a share that depends on the means of all of them."""

    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        between = max(1, channels // squeeze)
        self.squeeze = nn.Linear(channels, between)
        self.excite = nn.Linear(between, channels)

    def forward(self, x: Tensor) -> Tensor:
        share: Tensor = self.excite(F.relu(self.squeeze(x.mean((2, 3))))).sigmoid()
        return x * share[:, :, None, None]


class Block(nn.Module):
    """Two convolutions, each behind batch norm and activation, added to the input or to a projection of the activated input."""

    def __init__(self, channels_in: int, channels: int, stride: int, skip: float, config: Config) -> None:
        super().__init__()
        self.activation, self.skip = config.activation, skip
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = convolution(channels_in, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(config.dropout)
        self.conv2 = convolution(channels, channels, 3)
        self.excitation = Excitation(channels, config.squeeze) if config.squeeze else nn.Identity()
        projects = stride != 1 or channels_in != channels
        self.projection = convolution(channels_in, channels, 1, stride) if projects else None

    def forward(self, x: Tensor) -> Tensor:
        begun = activated(self.bn1, self.activation, x)
        residual = activated(self.bn2, self.activation, self.conv1(begun))
        residual = self.excitation(self.conv2(self.dropout(residual)))
        if self.training and self.skip:
            residual = skipped(residual, self.skip)
        shortcut: Tensor = x if self.projection is None else self.projection(begun)
        return residual + shortcut


class PreActResNet(nn.Module):
    """Images ``[n, channels, size, size]`` to logits ``[n, classes]``."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__()
        stem, features = config.stem or config.channels[0], config.channels[-1]
        self.activation = config.activation
        self.conv1 = convolution(inputs.channels, stem, 3)
        blocks = list(residual_blocks(config, stem))
        self.blocks = nn.Sequential(*blocks)
        self.bn = nn.BatchNorm2d(features)
        self.linear = nn.Linear(features, inputs.classes)
        initialise(self)
        if config.zero_init:
            for block in blocks:
                nn.init.zeros_(block.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = activated(self.bn, self.activation, self.blocks(self.conv1(x)))
        logits: Tensor = self.linear(x.mean((2, 3)))
        return logits


def build(config: Config, inputs: Inputs) -> nn.Module:
    return PreActResNet(config, inputs)


def residual_blocks(config: Config, channels_in: int) -> Iterator[Block]:
    depth, deepest = 0, sum(config.blocks)
    for stage, (count, channels) in enumerate(zip(config.blocks, config.channels, strict=True)):
        for index in range(count):
            depth += 1
            stride = 2 if stage > 0 and index == 0 else 1
            yield Block(channels_in, channels, stride, config.stochastic_depth * depth / deepest, config)
            channels_in = channels


def skipped(residual: Tensor, chance: float) -> Tensor:
    """[n, ...] with that of each image set to zero by ``chance``, the others scaled so that the expectation stays."""
    kept = torch.rand(len(residual), 1, 1, 1, device=residual.device) >= chance
    return residual * (kept / (1 - chance)).to(residual.dtype)
