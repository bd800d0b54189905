"""Measurements of the past, which the State does not keep: looked up in the journal by their place in it.

All of this reads files, so that it is for a thread beside the screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from core import events as e
from core.errors import UNREADABLE
from core.files import open_plain
from core.run.folder import RunFolder
from core.view.measured import measurement_of
from core.view.state import ClassScore, Measurement

CHUNK = 256 << 10
"""Bytes looked through at a time; a longer line is none of those that are looked for."""
MOST = 20_000
"""Measurements whose places are kept."""
_KINDS = re.compile(rb'"type":"(?:ValidationDone|RunStarted|RunResumed|RunRewound)"')


class _Head(msgspec.Struct):
    """Of a line, what its place goes by."""

    type: str
    split: str = ""
    epoch: int = 0
    step: int = 0
    checkpoint: str = ""


class Place(NamedTuple):
    """Where the line of a measurement with the weights of its moment stands."""

    split: str
    epoch: int
    step: int
    offset: int
    length: int


class MeasurementIndex:
    """An index of a run's measurements, extended as its journal grows."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.places: tuple[Place, ...] = ()
        """Oldest first; without what was taken back."""
        self._offset = 0

    def extend(self) -> None:
        """Look through what the journal has got since the last time."""
        places = list(self.places)
        for offset, line in self._lines():
            _take(places, offset, line)
            if len(places) > MOST:
                del places[len(places) % 2 :: 2]  # every other one, and never the latest
        self.places = tuple(places)

    def read(self, place: Place, classes: tuple[str, ...]) -> Measurement | None:
        """The measurement of a place; None when it cannot be read."""
        try:
            with open_plain(self.run.journal) as file:
                file.seek(place.offset)
                event = e.decode(file.read(place.length))
        except (OSError, *UNREADABLE):
            return None
        if not isinstance(event, e.ValidationDone) or (event.epoch, event.step) != (place.epoch, place.step):
            return None
        scores = zip(classes, event.correct, event.images, strict=False)
        return measurement_of(event, tuple(ClassScore(*score) for score in scores))

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Those that are looked for among the whole lines from the offset on, each with where it begins."""
        while data := self._chunk():
            end = data.rfind(b"\n") + 1
            if not end and len(data) < CHUNK:
                return  # a line that is not yet whole
            whole = data[:end]
            for found in _KINDS.finditer(whole):
                start = whole.rfind(b"\n", 0, found.start()) + 1
                yield self._offset + start, whole[start : whole.index(b"\n", found.end())]
            self._offset += end or len(data)

    def _chunk(self) -> bytes:
        try:
            with open_plain(self.run.journal) as file:
                file.seek(self._offset)
                return file.read(CHUNK)
        except OSError:
            return b""


def _take(places: list[Place], offset: int, line: bytes) -> None:
    """As the fold does: a step measured again counts once, and a resume takes back what came after its checkpoint."""
    try:
        head = msgspec.json.decode(line, type=_Head)
    except UNREADABLE:
        return
    if head.type == "ValidationDone" and not head.checkpoint:
        while places and places[-1].split == head.split and places[-1].step >= head.step:
            places.pop()
        places.append(Place(head.split, head.epoch, head.step, offset, len(line)))
    elif head.type in ("RunStarted", "RunResumed", "RunRewound"):
        while places and places[-1].step > head.step:
            places.pop()
