"""A safetensors file held against its own header, without torch."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from core.checkpoint import Damaged
from core.errors import UNREADABLE

Size = Annotated[int, msgspec.Meta(ge=0)]
WIDTHS = {
    "BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip
"""Bytes of a number of each type that our tensors may have."""


class Tensor(msgspec.Struct, frozen=True):
    """What the header says of one. Its first byte and the one after its last are counted from the header's end on."""

    dtype: str
    shape: tuple[Size, ...]
    data_offsets: tuple[Size, Size]


def check(name: str, data: bytes) -> None:
    """Raises :class:`Damaged` unless the tensors of the header are plain ones and fill the file without a gap."""
    read(name, data)


def read(name: str, data: bytes) -> dict[str, tuple[Tensor, bytes]]:
    """The tensors, each with its bytes (little-endian, in C order). Raises :class:`Damaged` as :func:`check`."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise Damaged(f"{name}: its header claims {length:,} bytes of {len(data):,}")
    end, start, found = 0, 8 + length, _tensors(name, data[8 : 8 + length])
    for key, tensor in sorted(found.items(), key=lambda item: item[1].data_offsets):
        first, last = tensor.data_offsets
        if first != end or last - first != WIDTHS.get(tensor.dtype, -1) * math.prod(tensor.shape):
            raise Damaged(f"{name}: {key!r} of type {tensor.dtype!r} is not where its header says")
        end = last
    if end != len(data) - start:
        raise Damaged(f"{name}: its tensors have {end:,} bytes of {len(data) - start:,}")
    return {key: (item, data[start + item.data_offsets[0] : start + item.data_offsets[1]]) for key, item in found.items()}


def _tensors(name: str, header: bytes) -> dict[str, Tensor]:
    try:
        entries = msgspec.json.decode(header, type=dict[str, msgspec.Raw])
        return {key: msgspec.json.decode(entry, type=Tensor) for key, entry in entries.items() if key != "__metadata__"}
    except UNREADABLE as error:
        raise Damaged(f"{name}: its header: {error}") from None
