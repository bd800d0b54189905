"""Lookahead (Zhang et al. 2019, arXiv 1907.08610): slow weights that are pulled towards the optimizer's own every few steps,
which then go on from there. They live in the optimizer's state, so they are saved with it."""

from __future__ import annotations

from typing import Any

import torch

SLOW = "slow"


def remember(optimizer: torch.optim.Optimizer) -> None:
    """Have an optimizer keep slow weights, beginning with the weights that its parameters have now."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    initial = {parameter: parameter.detach().clone() for parameter in parameters}

    def keep(optimizer: torch.optim.Optimizer, _: tuple[Any, ...], __: dict[Any, Any]) -> None:
        for parameter, weights in initial.items():
            if parameter.grad is not None:
                optimizer.state[parameter].setdefault(SLOW, weights)

    for group in optimizer.param_groups:
        group[SLOW] = True
    optimizer.register_step_post_hook(keep)  # not earlier: Adam takes any state that is not empty for its own


@torch.no_grad()
def pull(optimizer: torch.optim.Optimizer, alpha: float) -> None:
    """Move the slow weights by ``alpha`` of the way to the parameters, and the parameters to where they then are."""
    for parameter, state in optimizer.state.items():
        if SLOW in state:
            state[SLOW].lerp_(parameter, alpha)
            parameter.copy_(state[SLOW])
