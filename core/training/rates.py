"""Learning rates of optimizers and schedulers that are somebody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

OF_GROUPS = ("lr", "initial_lr", "max_lr", "min_lr")
"""Where an optimizer's group, and a scheduler in it, keep rates."""
OF_SCHEDULERS = ("base_lrs", "max_lrs", "min_lrs")
"""Where a scheduler keeps one for each group."""


def present(optimizers: Iterable[Any]) -> float | None:
    """The rate of the first group."""
    rates = (float(group["lr"]) for optimizer in optimizers for group in optimizer.param_groups)
    return next(rates, None)


def scale(optimizers: Iterable[Any], schedulers: Iterable[Any], factor: float) -> None:
    """Multiply all of them, so that the schedule goes on from the new rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for key in OF_GROUPS:
                if isinstance(group.get(key), (float, int, Tensor)):
                    group[key] = _times(group[key], factor)
    for scheduler in _single(schedulers):
        for name in OF_SCHEDULERS:
            if isinstance(rates := getattr(scheduler, name, None), list):
                rates[:] = [_times(rate, factor) for rate in rates]


def _times(rate: Any, factor: float) -> Any:
    if not isinstance(rate, Tensor):
        return rate * factor
    with torch.no_grad():
        return rate.mul_(factor)  # a compiled optimizer has this very tensor


def _single(schedulers: Iterable[Any]) -> Iterator[Any]:
    """Also those that others are made of."""
    for scheduler in schedulers:
        yield scheduler
        yield from _single(getattr(scheduler, "_schedulers", ()))
