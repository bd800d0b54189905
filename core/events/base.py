"""What all events share."""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Whole: TypeAlias = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
"""What a float holds exactly. A larger figure makes a line Unknown: no run has one, and computing with it could fail."""
Number: TypeAlias = float | Literal["nan", "inf", "-inf"]
Metrics: TypeAlias = dict[str, Number]
Split: TypeAlias = Literal["validation", "test"]
PREFIX: dict[str, str] = {"validation": "val", "test": "test"}
"""What a split's metrics are named by."""
MEASURING: dict[str, str] = {"validation": "validate", "test": "test"}
"""The phase in which a split is measured."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, gc=False):
    """Base of all events. They hold no cycles, so that the garbage collector need not look through millions of them."""

    time: float = 0.0
    seq: Whole = -1


class Unknown(Event, frozen=True, kw_only=True):
    """An event of a type that this program does not know: kept, passed on, folded to nothing."""

    kind: str = ""
    raw: bytes = b""


def to_number(value: Number) -> float:
    """A metric as a float, NaN and infinities included."""
    return float(value)


def from_number(value: float) -> Number:
    """A float as it travels on the wire."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
