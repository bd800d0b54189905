"""Batch norm together with the activation that follows it, by kernels in C: memory is read and written half as often."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from core.models._layers import ACTIVATIONS, Activation
from core.training.kernels import ACTIVATED, MOST_CHANNELS, Kernels, Pass, kernels


class Norm(nn.BatchNorm2d):
    """A drop-in for a BatchNorm2d: same parameters, same names, results equal within rounding. While it trains it computes an
    activation as well, where it is told one of ``activations``."""

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

    def forward(self, input: Tensor, activation: Activation | None = None) -> Tensor:
        # One value alone of a channel has no deviation, which torch says.
        compiled = kernels(input.dtype) if self.training and input.numel() > input.shape[1] else None
        if compiled is None:
            output = super().forward(input)
            return output if activation is None else ACTIVATIONS[activation](output)
        pixels = input.permute(0, 2, 3, 1).contiguous()
        mean, variance = _statistics(pixels, compiled)
        self._remember(mean, variance, pixels.numel() // pixels.shape[-1])
        inverse = (variance + self.eps).rsqrt()
        y: Tensor = _Normalise.apply(input, self.weight, self.bias, mean, inverse, activation)
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
    """Whether it does what torch's own does, is not hooked into, and keeps running statistics by a fixed share."""
    return (
        type(module).forward is nn.BatchNorm2d.forward
        and not module._forward_pre_hooks
        and not module._forward_hooks
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
    """(x - mean) x inverse, scaled, moved and activated; the gradient takes in that mean and deviation are those of x."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, inverse: Tensor, activation: Activation | None
    ) -> Tensor:
        pixels = x.permute(0, 2, 3, 1).contiguous()
        scale = weight * inverse
        shift = bias - mean * scale
        ctx.save_for_backward(x, mean, inverse, scale, shift)
        ctx.activation = activation
        output = torch.empty_like(pixels)
        _kernels(pixels).norm(Pass.FORWARD, activation, pixels=pixels, to=output, scale=scale, shift=shift)
        return output.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, inverse, scale, shift = ctx.saved_tensors
        pixels, gradient = (images.permute(0, 2, 3, 1).contiguous() for images in (x, gradients[0]))
        compiled, rows = _kernels(pixels), pixels.numel() // pixels.shape[-1]
        given = {"pixels": pixels, "gradient": gradient, "mean": mean, "scale": scale, "shift": shift}
        sums, products = compiled.norm_sums(Pass.SUMS_BACK, ctx.activation, **given)
        for_weight, for_bias = (products * inverse).float(), sums.float()
        if not ctx.needs_input_grad[0]:
            return None, for_weight, for_bias, None, None, None
        even, tilt = (sums / rows).float(), (products * inverse.double().square() / rows).float()
        for_x = torch.empty_like(pixels)
        compiled.norm(Pass.BACK, ctx.activation, to=for_x, even=even, tilt=tilt, **given)
        return for_x.permute(0, 3, 1, 2), for_weight, for_bias, None, None, None


def _kernels(pixels: Tensor) -> Kernels:
    compiled = kernels(pixels.dtype)
    assert compiled is not None, "nothing is normalised here without"
    return compiled
