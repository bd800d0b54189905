"""3x3 convolutions by Winograd's minimal filtering (Lavin and Gray 2015, arXiv 1509.09308), for CPUs.

An output tile of m x m pixels takes (m + 2)^2 multiplications for each pair of channels instead of 9 m^2: a quarter of them for
m = 4. Between the transforms of the tiles all is batched matrix products. Images go through a few at a time, so that what is
between the products stays in the cache.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

TILES = (2, 3, 4)
"""Sides of an output tile (pixels). Larger ones save more and lose digits: m = 4 costs about one of float32's seven."""
POINTS = (0, 1, -1, 2, -2)
"""Where the polynomials are evaluated, beside infinity."""
CACHE = 8 << 20
"""Bytes that the transformed tiles of the images under way may take."""
FEWEST_PAIRS = {torch.float32: 64 * 128, torch.bfloat16: 256 * 256}
"""Pairs of an input and an output channel; with fewer, the transforms cost more than the multiplications that they save."""


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
        return made

    def forward(self, input: Tensor) -> Tensor:
        if torch.is_autocast_enabled("cpu"):
            if not self.training:
                return super().forward(input)
            input = input.to(torch.get_autocast_dtype("cpu"))
        output = convolve(input, self.weight)
        return output if self.bias is None else output + self.bias[:, None, None].to(output.dtype)


def suits(module: nn.Module, dtype: torch.dtype) -> bool:
    """Whether a module is a convolution that this computes faster with images of that type: torch's own, since one that is
    derived from it, or that somebody has hooked into, does something else as well."""
    return (
        type(module) is nn.Conv2d
        and not module._forward_pre_hooks
        and not module._forward_hooks
        and (module.kernel_size, module.stride, module.dilation, module.groups) == ((3, 3), (1, 1), (1, 1), 1)
        and module.padding in ((1, 1), "same")
        and module.padding_mode == "zeros"
        and module.in_channels * module.out_channels >= FEWEST_PAIRS[dtype]
    )


def adopt(network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
    """Have every convolution of a network that suits computed so; parameters and their names stay."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and suits(child, dtype):
                setattr(parent, name, Convolution.of(child))


class Transforms(NamedTuple):
    """Of one tile size m, n = m + 2, both dimensions in one matrix: ``data`` [n^2, n^2], ``weight`` [n^2, 9], ``output``
    [m^2, n^2]. A tile's convolution is output @ ((weight @ w) * (data @ d)) over flattened d [n^2] and w [9]."""

    data: Tensor
    weight: Tensor
    output: Tensor


@lru_cache(maxsize=16)
def transforms(m: int, dtype: torch.dtype) -> Transforms:
    """By Toom and Cook's construction: evaluate at ``POINTS`` and infinity, multiply, interpolate; exact until rounded."""
    points = [Fraction(point) for point in POINTS[: m + 1]]
    output = [[*(point**row for point in points), Fraction(row == m - 1)] for row in range(m)]
    weight = [[point**power / _spread(points, point) for power in range(3)] for point in points]
    data = [[*_polynomial([other for other in points if other != point]), Fraction(0)] for point in points]
    rows = ([*data, _polynomial(points)], [*weight, [Fraction(0), Fraction(0), Fraction(1)]], output)
    matrices = [torch.tensor([[float(value) for value in row] for row in matrix], dtype=torch.float64) for matrix in rows]
    return Transforms(*(torch.kron(matrix, matrix).to(dtype) for matrix in matrices))


def _spread(points: list[Fraction], point: Fraction) -> Fraction:
    product = Fraction(1)
    for other in points:
        product *= point - other if other != point else 1
    return product


def _polynomial(roots: list[Fraction]) -> list[Fraction]:
    """Coefficients of the product of (x - root), constant first."""
    found = [Fraction(1)]
    for root in roots:
        found = [low - root * high for low, high in zip([Fraction(0), *found], [*found, Fraction(0)], strict=True)]
    return found


class Plan(NamedTuple):
    """How a convolution of this shape is cut: output tiles of ``m`` pixels, ``across`` x ``down`` of them an image, ``images``
    at a time."""

    m: int
    down: int
    across: int
    images: int

    @property
    def n(self) -> int:
        return self.m + 2


@lru_cache(maxsize=256)
def plan(height: int, width: int, channels_in: int, channels: int, bytes_each: int) -> Plan:
    """The tile size with the fewest multiplications for this shape, larger tiles first among equals; a number takes
    ``bytes_each``."""

    def cost(m: int) -> tuple[int, int]:
        return (-(-height // m) * -(-width // m) * (m + 2) ** 2, -m)

    m = min(TILES, key=cost)
    down, across = -(-height // m), -(-width // m)
    transformed = (m + 2) ** 2 * down * across * (channels_in + channels)
    return Plan(m, down, across, max(1, CACHE // (transformed * bytes_each)))


class _Winograd(torch.autograd.Function):
    """Input [N, C, H, W] and weight [K, C, 3, 3] to output [N, K, H, W], channels innermost in memory. The output has the
    input's type; filters are transformed, and their gradient is summed up, in the weight's."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(images, weight)
        pixels = _channels_last(images)
        output = pixels.new_empty(*pixels.shape[:3], weight.shape[0])
        work = _Work(pixels, weight.shape[0])
        filters = _transformed(weight, work.plan.m).to(pixels.dtype)
        for part in work.parts():
            work.transform_images(pixels[part])
            torch.bmm(work.v(part), filters, out=work.m(part))
            work.transform_output(output[part])
        return output.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        images, weight = ctx.saved_tensors
        pixels, gradient = _channels_last(images), _channels_last(gradients[0])
        work = _Work(pixels, weight.shape[0])
        tile = work.plan.m
        backward_filters = _transformed(weight, tile).transpose(1, 2).to(pixels.dtype).contiguous()
        for_filters = torch.zeros(work.plan.n**2, weight.shape[1], weight.shape[0], dtype=weight.dtype)
        for_images = torch.empty_like(pixels) if ctx.needs_input_grad[0] else None
        for part in work.parts():
            work.transform_gradient(gradient[part])
            work.transform_images(pixels[part])
            if pixels.dtype == weight.dtype:
                for_filters.baddbmm_(work.v(part).transpose(1, 2), work.m(part))
            else:  # bfloat16 is too short for a sum over all images
                for_filters += torch.bmm(work.v(part).transpose(1, 2), work.m(part))
            if for_images is not None:
                torch.bmm(work.m(part), backward_filters, out=work.v(part))
                work.transform_images_back(for_images[part])
        flat = transforms(tile, weight.dtype).weight.T @ for_filters.flatten(1)
        for_weight = flat.view(3, 3, *for_filters.shape[1:]).permute(3, 2, 0, 1)
        return (
            None if for_images is None else for_images.permute(0, 3, 1, 2),
            for_weight.contiguous(memory_format=torch.channels_last),
        )


def _channels_last(images: Tensor) -> Tensor:
    """[N, C, H, W] as [N, H, W, C] in that order in memory."""
    return images.permute(0, 2, 3, 1).contiguous()


def _transformed(weight: Tensor, m: int) -> Tensor:
    """[K, C, 3, 3] to [n^2, C, K]."""
    channels, channels_in = weight.shape[:2]
    flat = weight.permute(2, 3, 1, 0).reshape(9, channels_in * channels)
    return (transforms(m, weight.dtype).weight @ flat).view(-1, channels_in, channels)


class _Work:
    """Buffers for the images under way, and the transforms in and out of them. ``v`` holds transformed images [n^2, tiles, C],
    ``m`` transformed outputs or their gradients [n^2, tiles, K]."""

    def __init__(self, pixels: Tensor, channels: int) -> None:
        self.count, self.height, self.width, channels_in = pixels.shape
        self.plan = plan(self.height, self.width, channels_in, channels, pixels.element_size())
        _, down, across, images = self.plan
        self.images = min(images, self.count)
        self.channels_in, self.channels = channels_in, channels
        n, m, tiles = self.plan.n, self.plan.m, self.images * down * across
        self.matrices = transforms(m, pixels.dtype)
        self.padded = pixels.new_zeros(self.images, down * m + 2, across * m + 2, channels_in)
        self.whole = pixels.new_zeros(self.images, down * m, across * m, channels)
        self._gathered = pixels.new_empty(n * n * tiles * max(channels_in, channels))
        self._v = pixels.new_empty(n * n * tiles * channels_in)
        self._m = pixels.new_empty(n * n * tiles * channels)

    def parts(self) -> list[slice]:
        return [slice(start, min(start + self.images, self.count)) for start in range(0, self.count, self.images)]

    def tiles(self, part: slice) -> int:
        return int(part.stop - part.start) * self.plan.down * self.plan.across

    def v(self, part: slice) -> Tensor:
        return self._shaped(self._v, self.tiles(part), self.channels_in)

    def m(self, part: slice) -> Tensor:
        return self._shaped(self._m, self.tiles(part), self.channels)

    def _shaped(self, buffer: Tensor, tiles: int, channels: int) -> Tensor:
        square = self.plan.n**2
        return buffer[: square * tiles * channels].view(square, tiles, channels)

    def transform_images(self, pixels: Tensor) -> None:
        """[N, H, W, C] into ``v``."""
        count, n, m = len(pixels), self.plan.n, self.plan.m
        padded = self.padded[:count]
        padded[:, 1 : self.height + 1, 1 : self.width + 1] = pixels
        windows = padded.unfold(1, n, m).unfold(2, n, m).permute(4, 5, 0, 1, 2, 3)
        gathered = self._gathered[: windows.numel()].view(windows.shape).copy_(windows)
        torch.mm(self.matrices.data, gathered.view(n * n, -1), out=self._v[: windows.numel()].view(n * n, -1))

    def transform_output(self, output: Tensor) -> None:
        """``m`` into [N, H, W, K]."""
        (count, height, width, channels), (m, down, across, _), n = output.shape, self.plan, self.plan.n
        numel = count * down * across * channels
        flat = self._gathered[: m * m * numel].view(m * m, numel)
        torch.mm(self.matrices.output, self._m[: n * n * numel].view(n * n, numel), out=flat)
        tiled = flat.view(m, m, count, down, across, channels).permute(2, 3, 0, 4, 1, 5)
        if (height, width) == (down * m, across * m):
            output.view(count, down, m, across, m, channels).copy_(tiled)
        else:
            whole = self.whole[:count]
            whole.view(count, down, m, across, m, channels).copy_(tiled)
            output.copy_(whole[:, :height, :width])

    def transform_gradient(self, gradient: Tensor) -> None:
        """The output's gradient [N, H, W, K] into ``m``."""
        (count, height, width, channels), (m, down, across, _), n = gradient.shape, self.plan, self.plan.n
        if (height, width) != (down * m, across * m):
            whole = self.whole[:count]
            whole[:, height:], whole[:, :, width:] = 0, 0
            whole[:, :height, :width] = gradient
            gradient = whole
        tiled = gradient.view(count, down, m, across, m, channels).permute(2, 4, 0, 1, 3, 5)
        numel = count * down * across * channels
        gathered = self._gathered[: m * m * numel].view(tiled.shape).copy_(tiled)
        torch.mm(self.matrices.output.T, gathered.view(m * m, numel), out=self._m[: n * n * numel].view(n * n, numel))

    def transform_images_back(self, pixels: Tensor) -> None:
        """``v``, holding a gradient, into the images' gradient [N, H, W, C]: windows overlap by two pixels, and add up."""
        (count, height, width, channels), (m, down, across, _), n = pixels.shape, self.plan, self.plan.n
        numel = count * down * across * channels
        flat = self._gathered[: n * n * numel].view(n * n, numel)
        torch.mm(self.matrices.data.T, self._v[: n * n * numel].view(n * n, numel), out=flat)
        windows = flat.view(n, n, count, down, across, channels)
        padded = self.padded[:count].zero_()
        for top, bottom in ((0, m), (m, n)):
            for left, right in ((0, m), (m, n)):
                rows = padded[:, top:, left:].unfold(1, bottom - top, m)[:, :down]
                places = rows.unfold(2, right - left, m)[:, :, :across].permute(4, 5, 0, 1, 2, 3)
                places += windows[top:bottom, left:right]
        pixels.copy_(padded[:, 1 : height + 1, 1 : width + 1])
        padded.zero_()


def convolve(images: Tensor, weight: Tensor) -> Tensor:
    """The same as ``functional.conv2d(images, weight, padding=1)``, gradients included."""
    output: Tensor = _Winograd.apply(images, weight)
    return output
