"""The framing of TensorBoard's event files (TFRecord): length (8 bytes), its checksum (4), so many bytes, theirs (4).

Half a record at the end is waited for. After damage the next length that matches its checksum is looked for, so that what
comes later is not lost."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from core.watching.checksums import masked, masked_each, where_matching

HEAD, FOOT = 12, 4
LENGTH = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
LARGEST = 32 << 20
"""Bytes of a record that are looked at; a longer one is pictures or sound, and is skipped without being kept in memory."""
BLOCK = 4096
"""Bytes that are searched at a time."""
CHECKED = 64 << 10
"""Bytes of a record up to which its checksum is computed: scalars are far shorter."""


class Span(NamedTuple):
    """Where a record's bytes lie."""

    start: int
    stop: int


class Records:
    """Takes a file's bytes as they come and gives the records that are whole."""

    def __init__(self) -> None:
        self.damaged = 0
        """Records whose bytes do not match their checksum, and stretches between records."""
        self.skipped = 0
        """Records that are too long to be looked at."""
        self._rest = b""
        self._ahead = 0
        """Bytes still to come of a record that is skipped."""

    @property
    def waiting(self) -> int:
        """Bytes of half a record."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        dropped = min(self._ahead, len(data))
        self._ahead -= dropped
        data, found = self._rest + data[dropped:], list[bytes]()
        while True:
            spans, place = _walk(data)
            good = _first_bad_head(data, spans)
            found += self._sound(data, spans[:good])
            rest = self._after_odd(data, place if good == len(spans) else spans[good].start - HEAD)
            if rest is None:
                self._rest = data[place:]
                return found
            data = rest

    def _sound(self, data: bytes, spans: Sequence[Span]) -> list[bytes]:
        bad = _damaged(data, spans)
        self.damaged += len(bad)
        return [data[span.start : span.stop] for place, span in enumerate(spans) if place not in bad]

    def _after_odd(self, data: bytes, place: int) -> bytes | None:
        """What comes after a head at a place that is damaged, or of a record that is too long; None where it is only half."""
        if len(data) - place < HEAD:
            return None
        length, checksum = LENGTH.unpack_from(data, place)
        if masked(data[place : place + HEAD - FOOT]) != checksum:
            self.damaged += 1
            return _resynchronised(data[place + 1 :])
        if length <= LARGEST:
            return None
        self.skipped += 1
        after = place + HEAD + length + FOOT
        self._ahead = max(0, after - len(data))
        return data[after:]


def _resynchronised(data: bytes) -> bytes:
    """From the next sound length on; where there is none yet, as much as may be half of one."""
    start = 0
    while start < len(data):
        after = where_matching(data[start : start + BLOCK + HEAD - 1], HEAD - FOOT)
        if after is not None:
            return data[start + after :]
        start += BLOCK
    return data[-(HEAD - 1) :]


def _walk(data: bytes) -> tuple[list[Span], int]:
    """By their lengths, which are not checked yet, the records that are whole, and where the next begins."""
    spans, place = list[Span](), 0
    while len(data) - place >= HEAD:
        length = LENGTH.unpack_from(data, place)[0]
        stop = place + HEAD + length
        if length > LARGEST or stop + FOOT > len(data):
            break
        spans.append(Span(place + HEAD, stop))
        place = stop + FOOT
    return spans, place


def _first_bad_head(data: bytes, spans: Sequence[Span]) -> int:
    """How many records come before the first whose length does not match its checksum."""
    found = masked_each(data, [span.start - HEAD for span in spans], HEAD - FOOT)
    for place, (span, checksum) in enumerate(zip(spans, found, strict=True)):
        if CHECKSUM.unpack_from(data, span.start - 4)[0] != checksum:
            return place
    return len(spans)


def _damaged(data: bytes, spans: Sequence[Span]) -> set[int]:
    """Places of the records whose bytes do not match their checksum; those of one length are looked at together."""
    alike = defaultdict[int, list[int]](list)
    for place, span in enumerate(spans):
        alike[span.stop - span.start].append(place)
    bad = set[int]()
    for length, places in alike.items():
        if length <= CHECKED:
            found = masked_each(data, [spans[place].start for place in places], length)
            pairs = zip(places, found, strict=True)
            bad.update(place for place, crc in pairs if CHECKSUM.unpack_from(data, spans[place].stop)[0] != crc)
    return bad
