"""The framing of event files: whole records, half ones, damaged ones, and bytes that are none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.watching import records as module
from core.watching.checksums import MASK, masked, masked_each, where_matching
from core.watching.records import Records
from tests.watching.written import record

TOLD = [b"one", b"", b"three" * 50, b"4" * 3]


def test_the_checksum_is_that_of_the_format() -> None:
    """CRC-32C of the digits 1 to 9 stands in its specification (RFC 3720)."""
    crc = 0xE3069283
    assert masked(b"123456789") == (((crc >> 15) | (crc << 17)) + MASK) & 0xFFFFFFFF


@given(st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=20))
def test_many_checksums_at_once_are_those_of_each(stretches: list[bytes]) -> None:
    data = b"".join(stretches)
    assert masked_each(data, [5 * place for place in range(len(stretches))], 5) == list(map(masked, stretches))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_a_file_that_comes_in_pieces_has_the_same_records(pieces: list[int]) -> None:
    data, records, found = b"".join(map(record, TOLD)), Records(), list[bytes]()
    for piece in [*pieces, len(data)]:
        found += records.feed(data[:piece])
        data = data[piece:]
    assert (found, records.damaged, records.waiting) == (TOLD, 0, 0)


@pytest.mark.parametrize("missing", [1, 4, 7, 12, 14])
def test_half_a_record_is_waited_for(missing: int) -> None:
    data, records = b"".join(map(record, TOLD)), Records()
    assert records.feed(data[:-missing]) == TOLD[:-1]
    assert records.feed(data[-missing:]) == TOLD[-1:]
    assert records.damaged == 0


@pytest.mark.parametrize("damaged", [0, 5, 9, 13, 17])
def test_damage_costs_the_record_that_it_is_in(damaged: int) -> None:
    """In its length, in the length's checksum, in its bytes, in theirs: what comes later is found again."""
    first, others = bytearray(record(b"first")), b"".join(map(record, TOLD))
    first[damaged] ^= 0x40
    records = Records()
    assert records.feed(bytes(first) + others) == TOLD
    assert records.damaged >= 1


def test_damage_whose_end_has_not_been_written_yet() -> None:
    records = Records()
    assert records.feed(b"\xff" * 5000) == []
    assert records.waiting < 12
    assert records.feed(record(b"good")) == [b"good"]


def test_a_record_that_is_too_long_is_passed_over_and_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    long, records, found = record(b"x" * 100_000) + record(b"good"), Records(), list[bytes]()
    for start in range(0, len(long), 512):
        found += records.feed(long[start : start + 512])
        assert records.waiting < 2000
    assert (found, records.skipped, records.damaged) == ([b"good"], 1, 0)


def test_a_length_beyond_all_bounds_that_matches_its_checksum() -> None:
    length = struct.pack("<Q", (1 << 64) - 1)
    records = Records()
    assert records.feed(length + struct.pack("<I", masked(length)) + b"rest") == []
    assert (records.skipped, records.waiting) == (1, 0)


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_whatever_the_bytes_nothing_is_raised_and_little_is_kept(pieces: list[bytes]) -> None:
    records = Records()
    for piece in pieces:
        records.feed(piece)
    assert records.waiting <= sum(map(len, pieces))


def test_a_place_is_found_only_where_the_checksum_matches() -> None:
    data = b"abc" + record(b"x")
    assert where_matching(data, 8) == 3
    assert where_matching(data[:14], 8) is None
