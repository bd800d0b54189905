"""What the optimizer makes of gradients, and what it counts meanwhile, without waiting for the device."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import Parameter

from core.training.setup import Setup


class Update:
    """Of all weights that are trained; counts since the last window was closed."""

    def __init__(self, setup: Setup) -> None:
        self._optimizer, self._scaler, self._largest = setup.optimizer, setup.scaler, setup.recipe.optimizer.clip_norm
        self._weights = [weight for weight in setup.network.parameters() if weight.requires_grad]
        self._one, self._skipped = torch.ones((), device=setup.device), torch.zeros((), device=setup.device)
        self._norm: Tensor | None = None

    def begin_window(self) -> None:
        self._skipped.zero_()
        self._norm = None

    def make(self) -> None:
        scaler = self._scaler
        if self._norm is None:  # of a window's first step, since which one will be its last is not known before
            norm = gradient_norm(self._weights)
            self._norm = norm / scaler.scale(self._one) if scaler else norm
        if scaler and self._largest:
            scaler.unscale_(self._optimizer)
        if self._largest:
            torch.nn.utils.clip_grad_norm_(self._weights, self._largest)
        if not scaler:
            self._optimizer.step()
            return
        before = scaler.scale(self._one)
        scaler.step(self._optimizer)
        scaler.update()
        self._skipped += scaler.scale(self._one) < before

    def skipped(self) -> float:
        """Steps that changed nothing, since their gradients were beyond float16."""
        return float(self._skipped.item())

    def norm(self) -> float | None:
        """Of the first gradients, before they were clipped; None where that step was skipped."""
        norm = math.nan if self._norm is None else float(self._norm.item())
        return norm if math.isfinite(norm) or not self._scaler else None


def gradient_norm(weights: list[Parameter]) -> Tensor:
    """Of all gradients as one vector; it stays on the device, so that nobody waits for it."""
    norm: Tensor = torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    return norm
