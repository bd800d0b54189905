"""The transforms of minimal filtering: matrices for a tile, how an image is cut into tiles, and images into tiles and back."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

TILES = (2, 3, 4)
"""Sides of an output tile (pixels). Larger ones save more and lose digits: m = 4 costs about one of float32's seven."""
POINTS = (0, 1, -1, 2, -2)
"""Where the polynomials are evaluated, beside infinity."""
CACHE = 8 << 20
"""Bytes that the transformed tiles of the images under way may take."""


class Transforms(NamedTuple):
    """Of one tile size m, n = m + 2, both dimensions in one matrix: ``data`` [n^2, n^2], ``weight`` [n^2, 9], ``output``
    [m^2, n^2]. A tile's convolution is output @ ((weight @ w) * (data @ d)) over flattened d [n^2] and w [9]."""

    data: Tensor
    weight: Tensor
    output: Tensor


Matrix = list[list[Fraction]]


@lru_cache(maxsize=16)
def transforms(m: int, dtype: torch.dtype) -> Transforms:
    """Exact until rounded to the type."""
    rounded = ([[float(value) for value in row] for row in matrix] for matrix in one_dimension(m))
    matrices = [torch.tensor(matrix, dtype=torch.float64) for matrix in rounded]
    return Transforms(*(torch.kron(matrix, matrix).to(dtype) for matrix in matrices))


def one_dimension(m: int) -> tuple[Matrix, Matrix, Matrix]:
    """``data`` [n, n], ``weight`` [n, 3] and ``output`` [m, n] of one dimension, by Toom and Cook's construction: evaluate at
    ``POINTS`` and infinity, multiply, interpolate."""
    points = [Fraction(point) for point in POINTS[: m + 1]]
    output = [[*(point**row for point in points), Fraction(row == m - 1)] for row in range(m)]
    weight = [[point**power / _spread(points, point) for power in range(3)] for point in points]
    data = [[*_polynomial([other for other in points if other != point]), Fraction(0)] for point in points]
    return [*data, _polynomial(points)], [*weight, [Fraction(0), Fraction(0), Fraction(1)]], output


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


class Work:
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

    def transform_images(self, pixels: Tensor, part: slice) -> None:
        """[N, H, W, C] into ``v``."""
        pixels = pixels[part]
        count, n, m = len(pixels), self.plan.n, self.plan.m
        padded = self.padded[:count]
        padded[:, 1 : self.height + 1, 1 : self.width + 1] = pixels
        windows = padded.unfold(1, n, m).unfold(2, n, m).permute(4, 5, 0, 1, 2, 3)
        gathered = self._gathered[: windows.numel()].view(windows.shape).copy_(windows)
        torch.mm(self.matrices.data, gathered.view(n * n, -1), out=self._v[: windows.numel()].view(n * n, -1))

    def add_product(self, sums: Tensor, part: slice) -> None:
        """The gradient of the transformed filters [n^2, C, K], by one part of the images, onto ``sums``, in their type."""
        images, gradients = self.v(part).transpose(1, 2), self.m(part)
        if images.dtype == sums.dtype:
            sums.baddbmm_(images, gradients)
        else:  # bfloat16 is too short for a sum over all images
            sums += torch.bmm(images, gradients)

    def transform_output(self, output: Tensor, part: slice, which: Tensor | None = None) -> None:
        """``m`` into [N, H, W, K]; these do not pool."""
        assert which is None
        output = output[part]
        (count, *_, channels), (m, down, across, _), n = output.shape, self.plan, self.plan.n
        numel = count * down * across * channels
        flat = self._gathered[: m * m * numel].view(m * m, numel)
        torch.mm(self.matrices.output, self._m[: n * n * numel].view(n * n, numel), out=flat)
        _put_together(flat.view(m, m, count, down, across, channels), output, self.whole[:count])

    def transform_gradient(self, gradient: Tensor, part: slice, which: Tensor | None = None) -> None:
        """The output's gradient [N, H, W, K] into ``m``."""
        gradient = gradient[part]
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

    def transform_images_back(self, pixels: Tensor, part: slice) -> None:
        """``v``, holding a gradient, into the images' gradient [N, H, W, C]: windows overlap by two pixels, and add up."""
        pixels = pixels[part]
        (count, *_, channels), (m, down, across, _), n = pixels.shape, self.plan, self.plan.n
        numel = count * down * across * channels
        flat = self._gathered[: n * n * numel].view(n * n, numel)
        torch.mm(self.matrices.data.T, self._v[: n * n * numel].view(n * n, numel), out=flat)
        windows = flat.view(n, n, count, down, across, channels)
        # Around the m x m pixels of its own tile a window has one row and one column of each neighbour's.
        windows[1, :, :, 1:] += windows[n - 1, :, :, :-1]
        windows[m, :, :, :-1] += windows[0, :, :, 1:]
        windows = windows[1 : n - 1]
        windows[:, 1, :, :, 1:] += windows[:, n - 1, :, :, :-1]
        windows[:, m, :, :, :-1] += windows[:, 0, :, :, 1:]
        whole = self._v[: m * m * numel].view(count, down * m, across * m, channels)
        _put_together(windows[:, 1 : n - 1], pixels, whole)


def _put_together(tiles: Tensor, pixels: Tensor, whole: Tensor) -> None:
    """[m, m, N, down, across, C] into [N, H, W, C], by ``whole`` [N, down m, across m, C] where tiles reach beyond it."""
    tiled = tiles.permute(2, 3, 0, 4, 1, 5)
    direct = whole.shape == pixels.shape
    (pixels if direct else whole).view(tiled.shape).copy_(tiled)
    if not direct:
        pixels.copy_(whole[:, : pixels.shape[1], : pixels.shape[2]])
