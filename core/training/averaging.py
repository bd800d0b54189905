"""An exponential moving average of the weights, kept on the device beside those that train."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from core.sections import Averaging


class Average:
    """``network`` holds the average of ``live``: of its weights and its norms' statistics; integers are copied."""

    def __init__(self, live: nn.Module, settings: Averaging) -> None:
        self.settings = settings
        self.network = copy.deepcopy(live).requires_grad_(False)
        pairs = list(zip(_tensors(self.network), _tensors(live), strict=True))
        self._pairs = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counts = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after ``step`` steps, where that is one in ``every``."""
        if step % self.settings.every:
            return
        average, live = map(list, zip(*self._pairs, strict=True))
        torch._foreach_lerp_(average, live, 1 - decay_at(self.settings, step))
        for ours, theirs in self._counts:
            ours.copy_(theirs)


def decay_at(settings: Averaging, step: int) -> float:
    """Weight of the average so far at the update after ``step`` steps: small at first, so that the weights which a training
    begins with are soon forgotten."""
    before = step // settings.every - 1
    return min(settings.decay, (1 + before) / (10 + before))


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
