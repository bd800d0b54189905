"""A file of weights: its tensors, what it says of itself, and whether a network takes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import safetensors
import safetensors.torch
from torch import Tensor, nn

from core.checkpoint import WEIGHTS, Damaged
from core.errors import UNREADABLE
from core.events import FORMAT
from core.format import decode
from core.models import Inputs
from core.training.evaluation import Normalisation
from core.training.layout import dense

METADATA = "tui_trainer"
LARGEST_IMAGE = 1 << 26
"""Bytes of an image that a network may take: 4,729 pixels square in colours."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a weights file says of itself in its metadata, under ``METADATA``."""

    format: int = FORMAT
    recipe: dict[str, Any]
    classes: tuple[str, ...]
    inputs: Inputs
    normalisation: Normalisation

    def metadata(self) -> dict[str, str]:
        """As they go into a weights file, so that it is enough alone to evaluate and predict."""
        return {METADATA: msgspec.json.encode(self).decode()}


def read_weights(data: bytes) -> tuple[dict[str, Tensor], About]:
    """The tensors of a weights file, and what it says of itself; raises :class:`Damaged`."""
    tensors = load(data, WEIGHTS)
    try:
        about = _about(data)
    except UNREADABLE as error:
        raise Damaged(f"{WEIGHTS}: its metadata are not a tui-trainer run's ({error})") from None
    _check_about(about)
    return tensors, about


def _check_about(about: About) -> None:
    """Raises :class:`Damaged` where its parts do not fit each other, which nothing that is built from them would say."""
    (mean, std), inputs = about.normalisation, about.inputs
    if len(about.classes) != inputs.classes or not len(mean) == len(std) == inputs.channels:
        raise Damaged(f"{WEIGHTS}: its metadata contradict each other in their number of classes or channels")
    if inputs.channels < 1 or inputs.size < 1 or inputs.channels * inputs.size**2 > LARGEST_IMAGE:
        raise Damaged(f"{WEIGHTS}: its metadata have images of {inputs.channels}x{inputs.size}x{inputs.size}, which are none")
    if not all(math.isfinite(each) for each in (*mean, *std)) or min(std) <= 0:
        raise Damaged(f"{WEIGHTS}: its metadata have a mean or deviation that images cannot have")


def written(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file of which equal tensors and metadata give equal bytes: the library has metadata in a random order."""
    data = safetensors.torch.save(dense(tensors), dict(metadata))
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(metadata)
    text = msgspec.json.encode(header)
    text = text.ljust(-(-len(text) // 8) * 8)  # tensors begin at a multiple of eight bytes
    return b"".join((len(text).to_bytes(8, "little"), text, memoryview(data)[end:]))


def read_about(data: bytes) -> About | None:
    """What the bytes of a safetensors file say of themselves, where they are a run's."""
    try:
        return _about(data)
    except UNREADABLE:
        return None


def _about(data: bytes) -> About:
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return decode((header.get("__metadata__") or {}).get(METADATA, ""), About)


def check_weights(weights: Mapping[str, Tensor], network: nn.Module) -> None:
    """Raises :class:`Damaged` unless names, shapes and types are the network's own."""
    expected: dict[str, Any] = network.state_dict()
    if weights.keys() != expected.keys():
        odd = sorted(weights.keys() ^ expected.keys())
        raise Damaged(f"its tensors are not this model's ({len(odd)} differ, the first is {odd[0]!r})")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise Damaged(f"{name!r} is {_form(tensor)}, the model has {_form(expected[name])}")


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def load(data: bytes, name: str) -> dict[str, Tensor]:
    """The tensors of any safetensors file; raises :class:`Damaged`, which calls it by that ``name``."""
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except (KeyError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        raise Damaged(f"{name}: {error}") from None
    return tensors
