"""Optimizers by the recipe's names."""

from __future__ import annotations

import torch
from torch import nn

from core.recipe import Optimizer


def build(settings: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    """torch's own optimizer over all parameters; the learning rate is set anew before each step."""
    parameters, decay = network.parameters(), settings.weight_decay
    match settings.name:
        case "adam":
            return torch.optim.Adam(parameters, settings.lr, settings.betas, settings.eps, decay)
        case "adamw":
            return torch.optim.AdamW(parameters, settings.lr, settings.betas, settings.eps, decay)
        case "sgd":
            return torch.optim.SGD(
                parameters, settings.lr, momentum=settings.momentum, weight_decay=decay, nesterov=settings.nesterov
            )
