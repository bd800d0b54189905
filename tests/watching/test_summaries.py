"""Records of event files: scalars of both versions, what is none, and bytes that are no message."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.watching.protobuf import Malformed
from core.watching.summaries import decode
from tests.watching.written import NOW, event, field, scalar, varint


def number(of: int, value: int) -> bytes:
    return varint(of << 3) + varint(value)


def tensor(dtype: int, *fields: bytes, shape: tuple[int, ...] = ()) -> bytes:
    sizes = b"".join(field(2, number(1, size)) for size in shape)
    return field(8, number(1, dtype) + field(2, sizes) + b"".join(fields))


def value(tag: str, *fields: bytes, plugin: str = "scalars") -> bytes:
    metadata = field(9, field(1, field(1, plugin.encode()))) if plugin else b""
    return field(1, field(1, tag.encode()) + b"".join(fields) + metadata)


def test_a_scalar_of_the_first_version() -> None:
    told = decode(event(7, scalar("loss", 0.5), scalar("lr", 2.0)))
    assert (told.step, told.time, told.scalars, told.others) == (7, NOW, {"loss": 0.5, "lr": 2.0}, [])


@pytest.mark.parametrize(
    ("dtype", "form", "number"),
    [
        (1, "<f", 0.5),
        (2, "<d", 0.1),
        (3, "<i", -3),
        (9, "<q", -4),
        (19, "<e", 0.25),
        (4, "<B", 200),
        (22, "<I", 7),
        (10, "<?", 1),
    ],
)
def test_a_scalar_of_the_second_version_in_its_bytes(dtype: int, form: str, number: float) -> None:
    packed = field(4, struct.pack(form, number))
    assert decode(event(1, value("x", tensor(dtype, packed)))).scalars == {"x": number}


def test_bfloat16_has_the_upper_half_of_a_float() -> None:
    packed = field(4, struct.pack("<f", 1.5)[2:])
    assert decode(event(1, value("x", tensor(14, packed)))).scalars == {"x": 1.5}


@pytest.mark.parametrize(
    ("dtype", "packed", "expected"),
    [
        (1, field(5, struct.pack("<f", 0.5)), 0.5),
        (1, b"\x2d" + struct.pack("<f", 0.5), 0.5),
        (2, field(6, struct.pack("<d", 0.1)), 0.1),
        (3, field(7, varint(-3)), -3.0),
        (9, number(10, 12), 12.0),
        (19, number(13, struct.unpack("<H", struct.pack("<e", 0.25))[0]), 0.25),
    ],
)
def test_a_scalar_of_the_second_version_in_its_own_field(dtype: int, packed: bytes, expected: float) -> None:
    assert decode(event(1, value("x", tensor(dtype, packed)))).scalars == {"x": expected}


def test_what_is_no_scalar_is_counted_by_its_kind() -> None:
    many = tensor(1, field(4, b"\0" * 12), shape=(3,))
    told = decode(
        event(
            1, value("a", many), value("b", many, plugin="histograms"), value("c", field(4, b"png"), plugin=""), scalar("d", 1)
        )
    )
    assert told.scalars == {"d": 1.0}
    assert sorted(told.others) == ["histogram", "image", "tensor"]


def test_a_tensor_of_one_number_has_its_shape_or_none() -> None:
    packed = field(4, struct.pack("<f", 0.5))
    assert decode(event(1, value("x", tensor(1, packed, shape=(1, 1))))).scalars == {"x": 0.5}
    assert decode(event(1, value("x", tensor(1, packed, shape=(0,))))).scalars == {}


def test_steps_below_nothing_and_not_a_number() -> None:
    assert decode(event(-5, scalar("x", float("inf")))).step == -5


@pytest.mark.parametrize(
    "data", [b"\x2a\xff", b"\xff" * 12, b"\x07", b"\x0b", b"\x2a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"]
)
def test_what_is_no_message_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


@given(st.binary(max_size=200), st.binary(max_size=60), st.integers(0, 60))
def test_whatever_the_bytes_only_that_is_raised(data: bytes, inner: bytes, cut: int) -> None:
    sound = event(3, value("x", tensor(1, field(4, inner))), field(1, inner))
    for given_bytes in (data, sound[:cut] + inner + sound[cut:], sound[: -cut or None]):
        with suppress(Malformed):
            decode(given_bytes)
