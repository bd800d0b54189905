"""The images that a run keeps, read from its folder without torch. What lies there is hostile until it was checked."""

from __future__ import annotations

from struct import unpack
from typing import Any, NamedTuple

from core.checkpoint import Damaged
from core.run import media, tensors
from core.run.folder import RunFolder

LARGEST_SIDE = 256
"""Pixels."""
MOST = 1024
"""Pictures of one set."""


class Picture(NamedTuple):
    """``pixels`` has one byte for each pixel of each channel (1 or 3), channel by channel, row by row."""

    pixels: bytes
    channels: int
    height: int
    width: int
    sample: int
    """Its place in its split."""
    label: int
    other: int
    """What it was taken for, or the second class of a blend."""
    share: float
    """How sure the network was, or how much of the first class is in a blend (0 to 1)."""


def read(run: RunFolder, name: str, kind: str) -> tuple[Picture, ...]:
    """The pictures of a media file; raises :class:`Damaged`."""
    return unpacked(media.read(run.media, name), kind)


def unpacked(data: bytes, kind: str) -> tuple[Picture, ...]:
    """The pictures in the bytes of a media file; raises :class:`Damaged`."""
    known = tensors.read("media", data)
    count, channels, height, width = _shape(known)
    others, shares = ("guesses", "confidences") if kind == "mistakes" else ("others", "shares")
    samples, labels, taken_for = (_numbers(known, name, "I64", "q", count) for name in ("samples", "labels", others))
    sure = _numbers(known, shares, "F32", "f", count)
    size, pixels = channels * height * width, known["pixels"][1]
    return tuple(
        Picture(
            pixels[place * size : (place + 1) * size], channels, height, width, samples[place], labels[place],
            taken_for[place], sure[place],
        )
        for place in range(count)
    )  # fmt: skip


def _shape(known: dict[str, tuple[tensors.Tensor, bytes]]) -> tuple[int, int, int, int]:
    pixels = known["pixels"][0] if "pixels" in known else None
    if pixels is None or pixels.dtype != "U8" or len(pixels.shape) != 4:
        raise Damaged("it has no pictures in it")
    count, channels, height, width = pixels.shape
    if count > MOST or channels not in (1, 3) or not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        raise Damaged(f"pictures of {count} x {channels} x {height} x {width} are not shown")
    return count, channels, height, width


def _numbers(known: dict[str, tuple[tensors.Tensor, bytes]], name: str, dtype: str, code: str, count: int) -> tuple[Any, ...]:
    tensor, data = known.get(name, (None, b""))
    if tensor is None or tensor.dtype != dtype or tensor.shape != (count,):
        raise Damaged(f"its {name} do not fit its pictures")
    return unpack(f"<{count}{code}", data)
