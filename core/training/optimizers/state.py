"""What an optimizer keeps of each parameter, and bytes from outside held against it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from core.checkpoint import Damaged
from core.training.optimizers.lookahead import SLOW
from core.training.optimizers.muon import Muon


def kept(optimizer: torch.optim.Optimizer) -> dict[str, torch.Size]:
    """The shapes of all that it keeps from its first step on, by ``<parameter's index>.<key>``."""
    parameters = [(parameter, group) for group in optimizer.param_groups for parameter in group["params"]]
    return {
        f"{index}.{key}": torch.Size() if key == "step" else parameter.shape
        for index, (parameter, group) in enumerate(parameters)
        for key in _keys(optimizer, group)
    }


def idle(state: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> tuple[int, ...]:
    """Indices of parameters that it keeps nothing of while it does of others: they have had no part in any result yet, as may
    be in a network of which only some is used."""
    active = {int(name.partition(".")[0]) for name in state}
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    return tuple(index for index in range(count) if index not in active) if active else ()


def check(state: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, idle: Collection[int] = ()) -> None:
    """Raises :class:`Damaged` unless a state is such a one, of all parameters but the ``idle`` ones."""
    expected = {name: shape for name, shape in kept(optimizer).items() if int(name.partition(".")[0]) not in idle}
    if odd := sorted(state.keys() ^ expected.keys()):
        raise Damaged(f"its tensors are not this optimizer's ({len(odd)} differ, the first is {odd[0]!r})")
    for name, tensor in state.items():
        if tensor.shape != expected[name] or not tensor.is_floating_point():
            raise Damaged(f"{name!r} is {tensor.dtype} {tuple(tensor.shape)}, expected floats {tuple(expected[name])}")


def _keys(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> tuple[str, ...]:
    slow = (SLOW,) if group.get(SLOW) else ()
    match optimizer:
        case torch.optim.Adam() | torch.optim.AdamW():
            return ("step", "exp_avg", "exp_avg_sq", *slow)
        case torch.optim.SGD():
            return ("momentum_buffer", *slow) if group["momentum"] else slow
        case Muon():
            return ("momentum_buffer", *slow)
    raise TypeError(f"nothing is known of what {type(optimizer).__name__} keeps")
