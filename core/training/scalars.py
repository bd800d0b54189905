"""Single numbers that are still on their device, summed there and waited for once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor


def sums(groups: Sequence[Sequence[Tensor]]) -> list[float]:
    """The sum of each group of tensors of one element; each device is waited for once. A group may lie on several devices."""
    parts: dict[torch.device, list[tuple[int, Tensor]]] = {}
    for place, group in enumerate(groups):
        for _, alike in groupby(group, lambda tensor: (tensor.device, tensor.dtype, tensor.shape)):
            added = _added(list(alike))
            parts.setdefault(added.device, []).append((place, added))
    found = [0.0] * len(groups)
    for added_there in parts.values():
        for (place, _), value in zip(added_there, torch.stack([item for _, item in added_there]).tolist(), strict=True):
            found[place] += value
    return found


def _added(alike: list[Tensor]) -> Tensor:
    kind = torch.float32 if alike[0].device.type == "mps" else torch.float64
    with torch.no_grad():
        return torch.stack(alike).sum(dtype=kind)
