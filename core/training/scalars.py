"""Single numbers that are still on their device, summed there and waited for once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor


def sums(groups: Sequence[Sequence[Tensor]]) -> list[float]:
    """The sum of each group of tensors of one element; each device is waited for once. A group may lie on several devices."""
    parts: dict[torch.device, list[tuple[int, Tensor]]] = {}
    with torch.no_grad():
        for place, group in enumerate(groups):
            for added in _added(group):
                parts.setdefault(added.device, []).append((place, added))
        found = [0.0] * len(groups)
        for there in parts.values():
            for (place, _), value in zip(there, torch.stack([item for _, item in there]).tolist(), strict=True):
                found[place] += value
    return found


def _added(group: Sequence[Tensor]) -> Iterator[Tensor]:
    """Mostly all are alike, and one by one they need not be looked at."""
    try:
        yield _sum(torch.stack(list(group)))
    except RuntimeError:
        for _, alike in groupby(group, lambda tensor: (tensor.device, tensor.shape)):
            yield _sum(torch.stack(list(alike)))


def _sum(values: Tensor) -> Tensor:
    return values.sum(dtype=torch.float32 if values.device.type == "mps" else torch.float64)
