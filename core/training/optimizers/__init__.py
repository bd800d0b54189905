"""Optimizers by the recipe's names."""

from __future__ import annotations

import torch
from torch import nn

from core.sections import Optimizer
from core.training.optimizers import lookahead
from core.training.optimizers.eager import Kind, eager
from core.training.optimizers.groups import groups_of
from core.training.optimizers.muon import Muon


def build(settings: Optimizer, network: nn.Module, compiled: bool = False) -> torch.optim.Optimizer:
    """Over all parameters of ``network`` that train; ``compiled`` says whether the training has loaded torch's compiler.

    The learning rate is set anew before each step: each group's is the schedule's times the group's ``scale``.
    """
    optimizer = _build(settings, network, compiled)
    if settings.lookahead_steps:
        lookahead.remember(optimizer)
    return optimizer


def _build(settings: Optimizer, network: nn.Module, compiled: bool) -> torch.optim.Optimizer:
    def kind(torchs: type[Kind]) -> type[Kind]:
        return torchs if compiled else eager(torchs)

    groups, rate = groups_of(settings, network), settings.lr
    match settings.name:
        case "adam":
            return kind(torch.optim.Adam)(groups, rate, settings.betas, settings.eps)
        case "adamw":
            return kind(torch.optim.AdamW)(groups, rate, settings.betas, settings.eps)
        case "sgd":
            return kind(torch.optim.SGD)(groups, rate, momentum=settings.momentum, nesterov=settings.nesterov)
        case "muon":
            return kind(Muon)(groups, settings.momentum, settings.nesterov, settings.vector_momentum)
