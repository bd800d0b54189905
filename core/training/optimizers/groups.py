"""Which parameters share a learning rate and a weight decay."""

from __future__ import annotations

from typing import Any

from torch import nn

from core.sections import Optimizer


def groups_of(settings: Optimizer, network: nn.Module) -> list[dict[str, Any]]:
    """Groups for an optimizer, in the order of the parameters; those that do not train are in none.

    ``scale`` is a group's rate in units of ``optimizer.lr``, by which it follows the schedule. Without rates of their own and
    with one weight decay for all there is one group. With Muon the convolutions' weights come first, ``orthogonal``.
    """
    head = {id(parameter) for parameter in _head(network)}
    found: dict[tuple[bool, float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            orthogonal = settings.name == "muon" and parameter.dim() == 4
            scale = _rate(settings, parameter, id(parameter) in head) / settings.lr
            found.setdefault((orthogonal, scale, _decay(settings, parameter)), []).append(parameter)
    return [
        {"params": parameters, "lr": settings.lr * scale, "scale": scale, "weight_decay": decay, "orthogonal": orthogonal}
        for (orthogonal, scale, decay), parameters in sorted(found.items(), key=lambda group: not group[0][0])
    ]


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
