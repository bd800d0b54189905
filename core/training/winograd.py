"""3x3 convolutions by Winograd's minimal filtering (Lavin and Gray 2015, arXiv 1509.09308), for CPUs.

An output tile of m x m pixels takes (m + 2)^2 multiplications for each pair of channels instead of 9 m^2: a quarter of them for
m = 4. Between the transforms of the tiles, which are in ``winograd_tiles.py``, all is batched matrix products. Images go
through a few at a time, so that what is between the products stays in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from core.training.hooks import hooked
from core.training.kernels import as_pixels, kernels
from core.training.winograd_kernels import KernelWork
from core.training.winograd_tiles import Plan, Work, plan, transforms

FEWEST_PAIRS = {torch.float32: 64 * 128, torch.bfloat16: 64 * 256}
"""Pairs of an input and an output channel; with fewer, the transforms cost more than the multiplications that they save."""
FEWEST_WITH_KERNELS = 24 * 64
"""The same with kernels in C, which transform several times as fast."""
FEWEST_WITH_TILES = 256 * 256
"""The same in bfloat16 where the processor multiplies tiles (AMX), which makes multiplications cheaper and nothing else."""

MOST_SHARES = 4
"""Threads that take images of their own; more would wait for each other between kernels, where Python runs one at a time."""
FEWEST_TILES = 6
"""Of a thread's own images, for each pair of channels by the sum of both; with fewer, to add up what each thread has summed
takes longer than is saved."""


class Convolution(nn.Conv2d):
    """A drop-in for a 3x3 Conv2d of stride 1 and padding 1: same parameters, same names, results equal within rounding.

    With autocast to bfloat16, of whose eight bits an output tile of 4 x 4 costs three, it is for training alone: what is
    measured, and what others compute from the weights, is computed directly.
    """

    @classmethod
    def of(cls, direct: nn.Conv2d) -> Convolution:
        """Shares the parameters of ``direct``."""
        with torch.device("meta"):
            made = cls(direct.in_channels, direct.out_channels, 3, padding=1, bias=direct.bias is not None)
        made.weight, made.bias = direct.weight, direct.bias
        return made.train(direct.training)

    halves = True

    def forward(self, input: Tensor, halve: bool = False) -> Tensor:
        """With ``halve`` the greatest of every 2 x 2 pixels of the output."""
        autocast = torch.is_autocast_enabled("cpu")
        if input.device.type != "cpu" or not input.numel() or (autocast and not self.training):
            output = super().forward(input)
            return functional.max_pool2d(output, 2) if halve else output
        if autocast:
            input = input.to(torch.get_autocast_dtype("cpu"))
        output = convolve(input, self.weight, halve)
        return output if self.bias is None else output + self.bias[:, None, None].to(output.dtype)


def suits(module: nn.Module, fewest_pairs: int) -> bool:
    """Whether a module is a convolution that this computes faster: torch's own, since one that is derived from it, or that
    somebody has hooked into, does something else as well."""
    return (
        type(module) is nn.Conv2d
        and not hooked(module)
        and (module.kernel_size, module.stride, module.dilation, module.groups) == ((3, 3), (1, 1), (1, 1), 1)
        and module.padding in ((1, 1), "same")
        and module.padding_mode == "zeros"
        and module.in_channels * module.out_channels >= fewest_pairs
    )


def adopt(network: nn.Module, dtype: torch.dtype = torch.float32, tiles: bool = False) -> None:
    """Have every convolution of a network that suits computed so, with images of that type on a processor that multiplies tiles
    of bfloat16 or does not; parameters and their names stay."""
    fewest = FEWEST_WITH_KERNELS if kernels(dtype) else FEWEST_PAIRS[dtype]
    if tiles and dtype == torch.bfloat16:
        fewest = FEWEST_WITH_TILES
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and suits(child, fewest):
                setattr(parent, name, Convolution.of(child))


class _Winograd(torch.autograd.Function):
    """Input [N, C, H, W] and weight [K, C, 3, 3] to output [N, K, H, W], channels innermost in memory, or with ``halve`` to the
    greatest of every 2 x 2 pixels of it. The output has the input's type; filters are transformed in the weight's, or as
    autocast has it, and their gradient is summed up in float32 at the least."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, halve: bool) -> Tensor:
        pixels = as_pixels(images)
        (count, height, width, _), side = pixels.shape, 2 if halve else 1
        shape = (count, weight.shape[0], height // side, width // side)
        # A view of it could not be changed in place.
        result = torch.empty(shape, dtype=pixels.dtype, device=pixels.device, memory_format=torch.channels_last)
        output = as_pixels(result)
        which = torch.empty_like(output, dtype=torch.uint8) if halve else None
        filters = _transformed(weight, _plan(pixels, weight).m).to(pixels.dtype)
        ctx.save_for_backward(images, weight, filters, which)
        shares = _shares(pixels, weight)

        def some(_: int, mine: slice) -> None:
            work = _work(pixels[mine], weight.shape[0], len(shares))
            for part in work.parts():
                work.transform_images(pixels[mine], part)
                torch.bmm(work.v(part), filters, out=work.m(part))
                work.transform_output(output[mine], part, None if which is None else which[mine])

        _at_once(some, shares, pixels.dtype)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        images, weight, filters, which = ctx.saved_tensors
        pixels, gradient = as_pixels(images), as_pixels(gradients[0])
        shares = _shares(pixels, weight)
        sums = torch.promote_types(torch.float32, weight.dtype)
        for_filters = torch.zeros(len(shares), *filters.shape, dtype=sums)
        for_images = torch.empty_like(pixels) if ctx.needs_input_grad[0] else None

        def some(number: int, mine: slice) -> None:
            work = _work(pixels[mine], weight.shape[0], len(shares))
            for part in work.parts():
                work.transform_gradient(gradient[mine], part, None if which is None else which[mine])
                work.transform_images(pixels[mine], part)
                work.add_product(for_filters[number], part)
                if for_images is not None:
                    torch.bmm(work.m(part), filters.transpose(1, 2), out=work.v(part))
                    work.transform_images_back(for_images[mine], part)

        _at_once(some, shares, pixels.dtype)
        total = for_filters[0]
        for more in for_filters[1:]:
            total += more
        flat = transforms(_plan(pixels, weight).m, sums).weight.T @ total.flatten(1)
        for_weight = flat.view(3, 3, *filters.shape[1:]).permute(3, 2, 0, 1).to(weight.dtype)
        return (
            None if for_images is None else for_images.permute(0, 3, 1, 2),
            for_weight.contiguous(memory_format=torch.channels_last),
            None,
        )


def _plan(pixels: Tensor, weight: Tensor) -> Plan:
    return plan(*pixels.shape[1:], weight.shape[0], pixels.element_size())


def _work(pixels: Tensor, channels: int, shares: int) -> Work | KernelWork:
    compiled = kernels(pixels.dtype)
    return Work(pixels, channels) if compiled is None else KernelWork(pixels, channels, compiled, shares)


def _shares(pixels: Tensor, weight: Tensor) -> list[slice]:
    """The images of each thread, if each takes its own all the way from transform to transform, so that what it has made is in
    its own cache; all in one where they are too few for that, and all threads work on the same."""
    count, threads, cut = len(pixels), torch.get_num_threads(), _plan(pixels, weight)
    channels = (weight.shape[0], pixels.shape[-1])
    tiles = count // threads * cut.down * cut.across
    enough = threads <= MOST_SHARES and tiles >= FEWEST_TILES * math.prod(channels) / sum(channels)
    shares = threads if enough and kernels(pixels.dtype) is not None else 1
    return [slice(count * number // shares, count * (number + 1) // shares) for number in range(shares)]


def _at_once(some: Callable[[int, slice], None], shares: list[slice], dtype: torch.dtype) -> None:
    """Call ``some`` with each share's number and images."""
    compiled = kernels(dtype)
    if len(shares) == 1 or compiled is None:
        some(0, shares[0])
    else:
        compiled.together(lambda number: some(number, shares[number]), len(shares))


def _transformed(weight: Tensor, m: int) -> Tensor:
    """[K, C, 3, 3] to [n^2, C, K]."""
    channels, channels_in = weight.shape[:2]
    flat = weight.permute(2, 3, 1, 0).reshape(9, channels_in * channels)
    return (transforms(m, weight.dtype).weight @ flat).view(-1, channels_in, channels)


def convolve(images: Tensor, weight: Tensor, halve: bool = False) -> Tensor:
    """The same as ``functional.conv2d(images, weight, padding=1)``, gradients included; with ``halve`` the greatest of every
    2 x 2 pixels of it."""
    if halve and not _pools(images, weight):
        whole: Tensor = _Winograd.apply(images, weight, False)
        return functional.max_pool2d(whole, 2)
    output: Tensor = _Winograd.apply(images, weight, halve)
    return output


def _pools(images: Tensor, weight: Tensor) -> bool:
    """Whether outputs can be pooled as they are made: by kernels, where pairs of pixels lie within one tile."""
    height, width = images.shape[2:]
    cut = plan(height, width, images.shape[1], weight.shape[0], images.element_size())
    return cut.m % 2 == 0 and kernels(images.dtype) is not None
