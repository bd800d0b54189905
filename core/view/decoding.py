"""Lines of a journal as events, in half the time, where the metrics of steps have the same names again and again: instead of a
dict each they become a Struct made for these names."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, get_args

import msgspec

from core import events as e
from core.errors import UNREADABLE
from core.events import Event

MOST_NAMES = 64
OTHERS = tuple(kind for kind in get_args(e.KnownEvent) if kind is not e.StepDone)


class Decoder:
    """Called with whole lines, it gives what :func:`core.events.decode_lines` gives, but for the metrics of steps."""

    def __init__(self) -> None:
        self._decoder: msgspec.json.Decoder[Event] | None = None

    def __call__(self, lines: bytes) -> list[Event] | None:
        if self._decoder is not None:
            try:
                found = self._decoder.decode_lines(lines)
                return found if len(found) == lines.count(b"\n") else None  # JSON may go over several lines
            except UNREADABLE:  # other names, or a NaN, which travels as text
                self._decoder = None
        events = e.decode_lines(lines)
        step = next((event for event in events or () if isinstance(event, e.StepDone)), None)
        self._decoder = made_for(tuple(step.metrics)) if step else None
        return events


def made_for(names: tuple[str, ...]) -> msgspec.json.Decoder[Event] | None:
    """None for names that no Struct can have."""
    if not 0 < len(names) <= MOST_NAMES:
        return None
    fields = {f"metric_{place}": name for place, name in enumerate(names)}
    try:
        metrics = msgspec.defstruct(
            "Metrics", [(field, float) for field in fields], rename=fields, frozen=True, gc=False, forbid_unknown_fields=True
        )
    except ValueError:
        return None
    step = msgspec.defstruct("StepDone", [("metrics", metrics)], bases=(e.StepDone,), frozen=True, kw_only=True, gc=False)
    kinds: Any = reduce(or_, OTHERS, step)
    return msgspec.json.Decoder(kinds)


def names_of(metrics: msgspec.Struct) -> dict[str, str]:
    """The names of such metrics, by field."""
    return dict(zip(metrics.__struct_fields__, metrics.__struct_encode_fields__, strict=True))
