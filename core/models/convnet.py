"""A plain convolutional network that learns fast: pairs of 3x3 convolutions behind a fixed layer that whitens 2x2 patches.

The shape, the whitening, the identity initialisation and the scaled head are those of Keller Jordan's airbench94 (2024,
arXiv 2404.00498), which descends from David Page's ResNet-9. It has no residual connections.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import msgspec
import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import UserError
from core.models import Inputs
from core.models._layers import ACTIVATIONS, Activation, activated, halved

Positive = Annotated[int, Meta(ge=1)]
PATCH = 2
"""Side of the patches that the first layer whitens (pixels)."""
REGULARISER = 5e-4
"""Added to the eigenvalues of the patches' covariance, so that faint directions are not blown up."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[model]``."""

    widths: Annotated[tuple[Positive, ...], Meta(min_length=1, max_length=4)] = (64, 256, 256)
    """Channels of each group; the side halves within each."""
    depth: Annotated[int, Meta(ge=2, le=8)] = 2
    """Convolutions of each group; from the third on they are added to their input."""
    activation: Activation = "gelu"
    statistics_momentum: Annotated[float, Meta(gt=0, le=1)] = 0.4
    """Weight of a batch in the running statistics of batch norm (torch's ``momentum``)."""
    pad: bool = True
    """Keep the images' side through the whitening layer, rather than lose a pixel."""


def shifting(channels: int, config: Config) -> nn.BatchNorm2d:
    """Batch norm that only shifts: the next convolution can scale."""
    norm = nn.BatchNorm2d(channels, eps=1e-12, momentum=config.statistics_momentum)
    norm.weight.requires_grad_(False)
    return norm


class Group(nn.Module):
    """Convolution, max pool to half the side, then further convolutions; batch norm and activation after each."""

    def __init__(self, channels_in: int, channels: int, config: Config) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            passing_on(nn.Conv2d(channels if depth else channels_in, channels, 3, padding=1, bias=False))
            for depth in range(config.depth)
        )
        self.norms = nn.ModuleList(shifting(channels, config) for _ in range(config.depth))
        self.activation = config.activation

    def forward(self, x: Tensor) -> Tensor:
        x = activated(self.norms[0], self.activation, halved(self.convolutions[0], x))
        for depth, (convolution, norm) in enumerate(zip(self.convolutions[1:], self.norms[1:], strict=True), 1):
            x = activated(norm, self.activation, convolution(x), plus=x if depth >= 2 else None)
        return x


class ConvNet(nn.Module):
    """Images ``[n, channels, size, size]`` to logits ``[n, classes]``."""

    def __init__(self, config: Config, inputs: Inputs) -> None:
        super().__init__()
        self.pad, self.activation = config.pad, ACTIVATIONS[config.activation]
        whitened = 2 * inputs.channels * PATCH**2
        self.whiten = nn.Conv2d(inputs.channels, whitened, PATCH, bias=False)
        self.whiten.weight.requires_grad_(False)
        sizes = (whitened, *config.widths)
        self.groups = nn.Sequential(*(Group(before, after, config) for before, after in pairwise(sizes)))
        self.head = nn.Linear(config.widths[-1], inputs.classes, bias=False)
        with torch.no_grad():
            self.head.weight /= self.head.weight.std()

    def set_from(self, images: Tensor) -> None:
        """Make the first layer whiten patches like those of normalised ``images`` [n, channels, size, size]."""
        with torch.no_grad():
            self.whiten.weight.copy_(whitening(images.cpu()))

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.whiten(F.pad(x, (0, 1, 0, 1)) if self.pad else x))
        x = self.groups(x).amax((2, 3))
        logits: Tensor = self.head(x)
        return logits / x.shape[1]


def build(config: Config, inputs: Inputs) -> nn.Module:
    side = inputs.size if config.pad else inputs.size - PATCH + 1
    if side >> len(config.widths) < 1:
        raise UserError(f"model.widths: {len(config.widths)} groups halve images of {inputs.size} pixels away; use fewer")
    return ConvNet(config, inputs)


def passing_on(convolution: nn.Conv2d) -> nn.Conv2d:
    """Initialised so that the first output channels repeat the input channels, as far as there are any."""
    with torch.no_grad():
        nn.init.dirac_(convolution.weight[: convolution.in_channels])
    return convolution


def whitening(images: Tensor) -> Tensor:
    """Filters [2 x channels x 4, channels, 2, 2] whose answers to the images' patches are uncorrelated and of unit variance:
    the principal directions of the patches, each with both signs. Computed in float64, on the images' device."""
    channels = images.shape[1]
    patches = images.double().unfold(2, PATCH, 1).unfold(3, PATCH, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, channels * PATCH**2)
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (directions / torch.sqrt(variances + REGULARISER)).T.reshape(-1, channels, PATCH, PATCH)
    return torch.cat((filters, -filters)).float()
