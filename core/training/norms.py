"""Batch norm together with what follows it, a shortcut that is added and an activation, by kernels in C: memory is read and
written half as often."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from core.models._layers import ACTIVATIONS, Activation
from core.training.hooks import hooked
from core.training.kernels import ACTIVATED, MOST_CHANNELS, Kernels, Pass, as_pixels, kernels


class Norm(nn.BatchNorm2d):
    """A drop-in for a BatchNorm2d: same parameters, same names, results equal within rounding. While it trains it adds
    ``plus`` as well, and computes an activation, where it is told one of ``activations``."""

    activations: tuple[str, ...] = ACTIVATED

    @classmethod
    def of(cls, plain: nn.BatchNorm2d) -> Norm:
        """Shares the parameters and buffers of ``plain``."""
        with torch.device("meta"):
            made = cls(plain.num_features, plain.eps, plain.momentum)
        for name, parameter in plain.named_parameters():
            setattr(made, name, parameter)
        for name, buffer in plain.named_buffers():
            setattr(made, name, buffer)
        return made.train(plain.training)

    def forward(self, input: Tensor, activation: Activation | None = None, plus: Tensor | None = None) -> Tensor:
        # One value alone of a channel has no deviation, which torch says.
        here = self.training and input.device.type == "cpu" and self.weight.dtype == torch.float32
        compiled = kernels(input.dtype) if here and input.numel() > input.shape[1] else None
        if compiled is None or (plus is not None and (plus.dtype, plus.shape) != (input.dtype, input.shape)):
            output = super().forward(input)
            output = output if plus is None else output + plus
            return output if activation is None else ACTIVATIONS[activation](output)
        pixels = as_pixels(input)
        mean, variance = _statistics(pixels, compiled)
        self._remember(mean, variance, pixels.numel() // pixels.shape[-1])
        inverse = (variance + self.eps).rsqrt()
        y: Tensor = _Normalise.apply(input, self.weight, self.bias, mean, inverse, activation, plus)
        return y

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """In the running statistics, as torch does."""
        assert self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / max(1, count - 1)), self.momentum)


def adopt(network: nn.Module) -> None:
    """Have every batch norm of a network that suits computed so; parameters, buffers and their names stay."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d) and suits(child):
                setattr(parent, name, Norm.of(child))


def suits(module: nn.BatchNorm2d) -> bool:
    """Whether it is not hooked into, scales, shifts, and keeps running statistics by a fixed share. One that is derived from
    torch's own does something else as well."""
    return (
        type(module) is nn.BatchNorm2d
        and not hooked(module)
        and module.affine
        and module.track_running_stats
        and module.momentum is not None
        and module.num_features <= MOST_CHANNELS
    )


@torch.no_grad()
def _statistics(pixels: Tensor, compiled: Kernels) -> tuple[Tensor, Tensor]:
    """Mean and variance (float32) of each channel of [N, H, W, C]."""
    rows = pixels.numel() // pixels.shape[-1]
    base = pixels[0, 0, 0].float()
    sums, squares = compiled.norm_sums(Pass.SUMS, None, pixels=pixels, mean=base) / rows
    return (base + sums).float(), (squares - sums.square()).clamp_min(0).float()


class _Normalise(torch.autograd.Function):
    """(x - mean) x inverse, scaled, moved, with ``plus`` added, activated; the gradient takes in that mean and deviation are
    those of x."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        inverse: Tensor,
        activation: Activation | None,
        plus: Tensor | None,
    ) -> Tensor:
        pixels = as_pixels(x)
        scale = weight * inverse
        shift = bias - mean * scale
        ctx.save_for_backward(x, mean, inverse, scale, shift, plus)
        ctx.activation = activation
        output = torch.empty_like(x, memory_format=torch.channels_last)  # a view of it could not be changed in place
        given = {"scale": scale, "shift": shift} | ({} if plus is None else {"plus": as_pixels(plus)})
        _kernels(pixels).norm(Pass.FORWARD, activation, pixels=pixels, to=as_pixels(output), **given)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, inverse, scale, shift, plus = ctx.saved_tensors
        pixels, before = as_pixels(x), torch.empty_like(x, memory_format=torch.channels_last)
        compiled, rows = _kernels(pixels), pixels.numel() // pixels.shape[-1]
        given = {"pixels": pixels, "mean": mean, "scale": scale}
        images = {"gradient": as_pixels(gradients[0]), "passed": before} | ({} if plus is None else {"plus": as_pixels(plus)})
        sums, products = compiled.norm_sums(Pass.SUMS_BACK, ctx.activation, shift=shift, **images, **given)
        for_weight, for_bias, for_x = (products * inverse).float(), sums.float(), None
        if ctx.needs_input_grad[0]:
            even, tilt = (sums / rows).float(), (products * inverse.double().square() / rows).float()
            for_x = before if plus is None else torch.empty_like(before)
            compiled.norm(Pass.BACK, None, gradient=before, to=for_x, even=even, tilt=tilt, **given)
        return for_x, for_weight, for_bias, None, None, None, None if plus is None else before


def _kernels(pixels: Tensor) -> Kernels:
    compiled = kernels(pixels.dtype)
    assert compiled is not None, "nothing is normalised here without"
    return compiled
