"""Batch norm over the images of all ranks: each sees the statistics of the whole batch, forward and backward.

torch's own SyncBatchNorm is for GPUs alone; this one takes whatever the process group takes.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.training.distributed import Ranks


def synchronise(network: nn.Module, ranks: Ranks) -> None:
    """From here on, for whatever batch norms the network has; names and shapes of its tensors stay."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.activations = ()  # type: ignore[assignment]  # what follows is activated by whoever asked
            module.forward = partial(_forward, module, type(module).forward, ranks)  # type: ignore[method-assign]


def _forward(module: _BatchNorm, alone: Any, ranks: Ranks, x: Tensor) -> Tensor:
    """``alone`` is what it does over the images that are here: for measuring, and for a batch that every rank has whole."""
    if not (module.training and ranks.divided):
        done: Tensor = alone(module, x)
        return done
    mean, variance, count = _statistics(x, ranks)
    _remember(module, mean, variance, count)
    y: Tensor = _Normalise.apply(x, module.weight, module.bias, mean, variance, count, module.eps, ranks)
    return y


@torch.no_grad()
def _statistics(x: Tensor, ranks: Ranks) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance [channels] over all ranks and the number of values, in float32; by Chan, Golub and LeVeque's rule, so
    that no large sums of squares are subtracted."""
    values, over = x.float(), _all_but_channels(x)
    count = torch.full((1,), x.numel() // x.shape[1], dtype=torch.float32, device=x.device)
    mean = values.mean(over)
    squares = (values - _across(mean, x)).square().sum(over)
    own = torch.cat((mean, squares, count))
    found = [torch.empty_like(own) for _ in range(ranks.size)]
    with ranks.waiting():
        dist.all_gather(found, own)
    channels, every = len(mean), torch.stack(found)
    means, squares_of, counts = every[:, :channels], every[:, channels:-1], every[:, -1:]
    total = counts.sum(0)
    whole = (means * counts).sum(0) / total
    variance = (squares_of + counts * (means - whole).square()).sum(0) / total
    return whole, variance, total


@torch.no_grad()
def _remember(module: _BatchNorm, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """In the running statistics, as torch's batch norm does."""
    if module.running_mean is None or module.running_var is None or module.num_batches_tracked is None:
        return
    module.num_batches_tracked.add_(1)
    share = module.momentum if module.momentum is not None else 1.0 / float(module.num_batches_tracked)
    module.running_mean.lerp_(mean.to(module.running_mean.dtype), share)
    module.running_var.lerp_((variance * count / (count - 1)).to(module.running_var.dtype), share)


class _Normalise(torch.autograd.Function):
    """(x - mean) / deviation, scaled and moved; the gradient takes in that mean and deviation are those of all ranks."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        count: Tensor,
        eps: float,
        ranks: Ranks,
    ) -> Tensor:
        inverse = (variance + eps).rsqrt()
        ctx.save_for_backward(x, weight, mean, inverse, count)
        ctx.ranks = ranks
        y = (x.float() - _across(mean, x)) * _across(inverse, x)
        if weight is not None:
            y = y * _across(weight, x)
        if bias is not None:
            y = y + _across(bias, x)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse, count = ctx.saved_tensors
        gradient, over = gradients[0].float(), _all_but_channels(x)
        normal = (x.float() - _across(mean, x)) * _across(inverse, x)
        of_bias, of_weight = gradient.sum(over), (gradient * normal).sum(over)
        sums = torch.cat((of_bias, of_weight))
        ctx.ranks.summed(sums)
        bias_mean, weight_mean = (sums / count).chunk(2)
        inner = gradient - _across(bias_mean, x) - normal * _across(weight_mean, x)
        scale = inverse if weight is None else inverse * weight
        wanted = ctx.needs_input_grad
        return (
            (inner * _across(scale, x)).to(x.dtype), of_weight if wanted[1] else None, of_bias if wanted[2] else None,
            None, None, None, None, None,
        )  # fmt: skip


def _all_but_channels(x: Tensor) -> list[int]:
    return [0, *range(2, x.dim())]


def _across(channels: Tensor, x: Tensor) -> Tensor:
    """[channels] as it is to be spread over x [B, channels, ...]."""
    return channels.view(1, -1, *[1] * (x.dim() - 2))
