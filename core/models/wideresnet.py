"""A wide residual network, WRN-depth-width (Zagoruyko and Komodakis 2016, arXiv 1605.07146): pre-activation blocks in three
stages of 16, 32 and 64 times ``width`` channels behind a first convolution of 16."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from torch import nn

from core.models import Inputs, preact

STEM = 16


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of ``[model]``."""

    depth: Annotated[int, Meta(ge=10, le=1000)] = 22
    """Convolutions, with those of the three shortcuts: 4 more than a multiple of 6."""
    width: Annotated[int, Meta(ge=1)] = 4
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """Share of the values dropped between the convolutions of a block."""

    def __post_init__(self) -> None:
        if self.depth % 6 != 4:
            raise ValueError(f"depth must be 4 more than a multiple of 6, for instance 16, 22, 28 or 40 (given: {self.depth})")


def build(config: Config, inputs: Inputs) -> nn.Module:
    stages = preact.Config(
        blocks=((config.depth - 4) // 6,) * 3,
        channels=tuple(STEM * config.width * 2**stage for stage in range(3)),
        stem=STEM,
        dropout=config.dropout,
    )
    return preact.build(stages, inputs)
