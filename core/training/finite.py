"""Whether a training has gone out of the numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether no number in them is NaN or infinite; waits once for each device that they are on."""
    floating = [tensor for tensor in tensors if tensor.is_floating_point() and tensor.numel()]
    devices = {tensor.device for tensor in floating}
    return all(_finite_on([tensor for tensor in floating if tensor.device == device]) for device in devices)


def _finite_on(tensors: list[Tensor]) -> bool:
    # On a CPU the largest of each takes 25 times as long as their sums, which say nothing only when they overflow.
    if tensors[0].device.type == "cpu":
        sums = torch.stack([tensor.sum(dtype=torch.float64) for tensor in tensors])
        if bool(sums.isfinite().all()):
            return True
    largest = torch._foreach_norm(tensors, math.inf)  # unlike a sum of squares it does not overflow
    return bool(torch.stack([norm.isfinite() for norm in largest]).all())
