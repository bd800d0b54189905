"""Which parameters share a learning rate and a weight decay."""

from __future__ import annotations

from typing import Any

from torch import nn

from core.sections import Optimizer, ParameterGroup
from core.training.naming import matching

PLAIN = ParameterGroup(match="")
"""Says nothing of a rate or a decay."""


def groups_of(settings: Optimizer, network: nn.Module) -> list[dict[str, Any]]:
    """Groups for an optimizer, in the order of the parameters; those that do not train are in none.

    ``scale`` is a group's rate in units of ``optimizer.lr``, by which it follows the schedule. Without rates of their own and
    with one weight decay for all there is one group. With Muon the convolutions' weights come first, ``orthogonal``.
    """
    head = {id(parameter) for parameter in _head(network)}
    chosen = _chosen(settings, network)
    found: dict[tuple[bool, float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            orthogonal = settings.name == "muon" and parameter.dim() == 4
            group = chosen.get(id(parameter), PLAIN)
            scale = (group.lr or _rate(settings, parameter, id(parameter) in head)) / settings.lr
            decay = _decay(settings, parameter) if group.weight_decay is None else group.weight_decay
            found.setdefault((orthogonal, scale, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": settings.lr * scale, "scale": scale, "weight_decay": decay, "orthogonal": orthogonal}
        for (orthogonal, scale, decay), parameters in sorted(found.items(), key=lambda group: not group[0][0])
    ]


def _chosen(settings: Optimizer, network: nn.Module) -> dict[int, ParameterGroup]:
    """The recipe's own group of each parameter (by its id) that is in one; raises UserError for a group without any."""
    found: dict[int, ParameterGroup] = {}
    for index, group in enumerate(settings.groups):
        for parameter in matching(network, group.match, f"optimizer.groups[{index}].match"):
            found.setdefault(id(parameter), group)
    return found


def _head(network: nn.Module) -> list[nn.Parameter]:
    """Of the last linear layer."""
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    return list(linear[-1].parameters()) if linear else []


def _rate(settings: Optimizer, parameter: nn.Parameter, in_head: bool) -> float:
    if in_head:
        return settings.head_lr or settings.lr
    beside = parameter.dim() != 4 if settings.name == "muon" else parameter.dim() < 2
    return (settings.vector_lr or settings.lr) if beside else settings.lr


def _decay(settings: Optimizer, parameter: nn.Parameter) -> float:
    return settings.weight_decay if parameter.dim() >= 2 or settings.decay_vectors else 0.0
