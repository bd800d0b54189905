"""Optimizers by the recipe's names."""

from __future__ import annotations

import torch
from torch import nn

from core.sections import Optimizer
from core.training.optimizers import lookahead
from core.training.optimizers.groups import groups_of
from core.training.optimizers.muon import Muon


def build(settings: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    """Over all parameters of ``network`` that train.

    The learning rate is set anew before each step: each group's is the schedule's times the group's ``scale``.
    """
    optimizer = _build(settings, network)
    if settings.lookahead_steps:
        lookahead.remember(optimizer)
    return optimizer


def _build(settings: Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    groups, rate = groups_of(settings, network), settings.lr
    match settings.name:
        case "adam":
            return torch.optim.Adam(groups, rate, settings.betas, settings.eps)
        case "adamw":
            return torch.optim.AdamW(groups, rate, settings.betas, settings.eps)
        case "sgd":
            return torch.optim.SGD(groups, rate, momentum=settings.momentum, nesterov=settings.nesterov)
        case "muon":
            return Muon(groups, settings.momentum, settings.nesterov, settings.vector_momentum)
