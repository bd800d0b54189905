"""Lookahead (Zhang et al. 2019, arXiv 1907.08610): slow weights that are pulled towards the optimizer's own every few steps,
which then go on from there. They live in the optimizer's state, so they are saved with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SLOW = "slow"


def remember(optimizer: torch.optim.Optimizer) -> None:
    """Have an optimizer keep slow weights, beginning with what a parameter is before the first step that it has none at: also
    after a return to a state of before that."""
    begun: dict[Tensor, Tensor] = {}

    def look(optimizer: torch.optim.Optimizer, _: tuple[Any, ...], __: dict[Any, Any]) -> None:
        begun.clear()
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and SLOW not in optimizer.state.get(parameter, {}):
                    begun[parameter] = parameter.detach().clone()

    def keep(optimizer: torch.optim.Optimizer, _: tuple[Any, ...], __: dict[Any, Any]) -> None:
        for parameter, weights in begun.items():
            optimizer.state[parameter][SLOW] = weights
        begun.clear()

    for group in optimizer.param_groups:
        group[SLOW] = True
    optimizer.register_step_pre_hook(look)
    optimizer.register_step_post_hook(keep)  # not earlier: Adam takes any state that is not empty for its own


@torch.no_grad()
def pull(optimizer: torch.optim.Optimizer, alpha: float) -> None:
    """Move the slow weights by ``alpha`` of the way to the parameters, and the parameters to where they then are."""
    for parameter, state in optimizer.state.items():
        if SLOW in state:
            state[SLOW].lerp_(parameter, alpha)
            parameter.copy_(state[SLOW])
