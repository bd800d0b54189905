"""What ``winograd_tiles.py`` does, by kernels in C."""

from __future__ import annotations

import torch
from torch import Tensor

from core.training.kernels import Kernels, Transform
from core.training.winograd_tiles import plan


class KernelWork:
    """As ``winograd_tiles.Work``, whose names these are, but that outputs may be pooled as they are made: with ``which``
    [N, H / 2, W / 2, K] (uint8), outputs and their gradients are [N, H / 2, W / 2, K]."""

    def __init__(self, pixels: Tensor, channels: int, kernels: Kernels, shares: int) -> None:
        """``shares``: how many of these work at the same time, and have the cache between them."""
        self.count, self.height, self.width, self.channels_in = pixels.shape
        self.plan = plan(self.height, self.width, self.channels_in, channels, pixels.element_size())
        self.kernels, self.channels = kernels, channels
        self.images = min(max(1, self.plan.images // shares), self.count)
        square, rows = self.plan.n**2, self._rows(self.images)
        self._v = pixels.new_empty(square * rows * self.channels_in)
        self._m = pixels.new_empty(square * rows * channels)
        self._product: Tensor | None = None

    def _rows(self, images: int) -> int:
        """One for each tile, and an odd number of them: planes of an even one would lie at the same places of the cache."""
        return images * self.plan.down * self.plan.across | 1

    def parts(self) -> list[slice]:
        return [slice(start, min(start + self.images, self.count)) for start in range(0, self.count, self.images)]

    def v(self, part: slice) -> Tensor:
        return self._shaped(self._v, part, self.channels_in)

    def m(self, part: slice) -> Tensor:
        return self._shaped(self._m, part, self.channels)

    def _shaped(self, buffer: Tensor, part: slice, channels: int) -> Tensor:
        square, rows = self.plan.n**2, self._rows(part.stop - part.start)
        return buffer[: square * rows * channels].view(square, rows, channels)

    def add_product(self, sums: Tensor, part: slice) -> None:
        images, gradients = self.v(part).transpose(1, 2), self.m(part)
        if images.dtype == sums.dtype:
            sums.baddbmm_(images, gradients)
            return
        if self._product is None:
            self._product = images.new_empty(sums.shape)
        self.kernels.add(sums, torch.bmm(images, gradients, out=self._product))

    def transform_images(self, pixels: Tensor, part: slice) -> None:
        self._transform(Transform.IMAGES, pixels[part], self.v(part))

    def transform_output(self, output: Tensor, part: slice, which: Tensor | None = None) -> None:
        self._transform(Transform.OUTPUT, output[part], self.m(part), None if which is None else which[part])

    def transform_gradient(self, gradient: Tensor, part: slice, which: Tensor | None = None) -> None:
        self._transform(Transform.GRADIENT, gradient[part], self.m(part), None if which is None else which[part])

    def transform_images_back(self, pixels: Tensor, part: slice) -> None:
        self._transform(Transform.IMAGES_BACK, pixels[part], self.v(part))

    def _transform(self, kind: Transform, pixels: Tensor, tiles: Tensor, which: Tensor | None = None) -> None:
        sizes = (len(pixels), self.height, self.width, tiles.shape[2], self.plan.down, self.plan.across)
        self.kernels.transform(kind, self.plan.m, pixels, tiles, sizes, which)
