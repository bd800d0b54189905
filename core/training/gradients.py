"""Gradients that are averaged over several processes while they are computed."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.autograd import Variable
from torch.nn.parallel import DistributedDataParallel

from core.training.working import Clock


class Averaged(DistributedDataParallel):
    """Computes as ``network`` does with the first rank's running statistics, and gives every rank the mean of all gradients.
    Its clock stands still while others are waited for: for these statistics before the forward pass, and for what is left of
    the all-reduce after the backward pass."""

    def __init__(self, network: nn.Module, clock: Clock, find_unused: bool) -> None:
        super().__init__(network, find_unused_parameters=find_unused)
        self._clock = clock
        network.register_forward_pre_hook(lambda *_: clock.resume())

    def forward(self, images: Tensor) -> Tensor:
        self._clock.pause()
        logits: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
        if logits.requires_grad:
            logits.register_hook(self._backward_begins)  # type: ignore[no-untyped-call]
        return logits

    def _backward_begins(self, gradient: Tensor) -> None:
        """What is asked for now is done before torch's own wait for the all-reduce, since it asks for that later on."""
        _when_computed(self._backward_computed)

    def _backward_computed(self) -> None:
        self._clock.pause()
        _when_computed(self._clock.resume)


def _when_computed(work: Any) -> None:
    """Do it when the backward pass under way is through, after all that this was asked for before."""
    Variable._execution_engine.queue_callback(work)
