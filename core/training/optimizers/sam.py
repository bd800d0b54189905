"""Sharpness-aware minimisation (Foret et al. 2020, arXiv 2010.01412): the gradient is taken where the loss is worst nearby."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

EPSILON = 1e-12


@contextmanager
def ascended(network: nn.Module, radius: float) -> Iterator[None]:
    """The weights moved by ``radius`` along the whole gradient that they hold, for as long as this lasts.

    Afterwards weights and running statistics have, to the bit, the values from before.
    """
    weights = [parameter for parameter in network.parameters() if parameter.grad is not None]
    with restored([*weights, *network.buffers()]):
        _climb(weights, radius)
        yield


@torch.no_grad()
def _climb(weights: Sequence[Tensor], radius: float) -> None:
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    length = radius / (torch.nn.utils.get_total_norm(gradients) + EPSILON)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.addcmul_(gradient, length)


@contextmanager
def restored(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Give tensors their present values back in the end."""
    kept = [tensor.detach().clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, values in zip(tensors, kept, strict=True):
                tensor.copy_(values)
