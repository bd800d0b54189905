"""The operations that AutoAugment and TrivialAugment choose from, on uint8 [N, C, H, W] of 1 or 3 channels, each
image by a strength of its own.

They give what torchvision.transforms.v2.functional gives on tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import torch
from torch import Tensor

from core.data.augment.geometry import affine
from core.data.augment.select import where


class Operation(IntEnum):
    IDENTITY = 0
    SHEAR_X = 1
    SHEAR_Y = 2
    TRANSLATE_X = 3
    TRANSLATE_Y = 4
    ROTATE = 5
    BRIGHTNESS = 6
    COLOR = 7
    CONTRAST = 8
    SHARPNESS = 9
    POSTERIZE = 10
    SOLARIZE = 11
    AUTO_CONTRAST = 12
    EQUALIZE = 13
    INVERT = 14


class Choices(NamedTuple):
    """An operation (int64 [N]), its strength (float32 [N]) and its matrix for :func:`affine` (float32 [N, 2, 3]): of each of N
    images, or the N possibilities to choose from."""

    operations: Tensor
    strengths: Tensor
    matrices: Tensor

    def at(self, index: Tensor) -> Choices:
        return Choices(*(column[index] for column in self))


def possibilities(pairs: list[tuple[Operation, float]], height: int, width: int) -> Choices:
    """A row for each (operation, strength), for images of this size."""
    matrices = [_matrix(operation, strength, height, width) for operation, strength in pairs]
    return Choices(
        torch.tensor([int(operation) for operation, _ in pairs]),
        torch.tensor([strength for _, strength in pairs], dtype=torch.float32),
        torch.tensor(matrices, dtype=torch.float32).view(-1, 2, 3) / torch.tensor([[0.5 * width], [0.5 * height]]),
    )


def apply(images: Tensor, choices: Choices) -> Tensor:
    """Each image by its own operation."""
    # Off the CPU, picking images out would make the host wait for the device.
    return picked(images, choices) if images.device.type == "cpu" else everywhere(images, choices)


def picked(images: Tensor, choices: Choices) -> Tensor:
    """Each operation on the images that it was chosen for."""
    operations, strengths, matrices = choices
    result = images.clone()
    moved = ((operations >= Operation.SHEAR_X) & (operations <= Operation.ROTATE)).nonzero()[:, 0]
    result.index_copy_(0, moved, affine(images.index_select(0, moved), matrices[moved]))
    for operation, function in COLOUR.items():
        rows = (operations == operation).nonzero()[:, 0]
        if len(rows):
            strength = strengths[rows, None, None, None]
            result.index_copy_(0, rows, function(images.index_select(0, rows), strength))
    return result


def everywhere(images: Tensor, choices: Choices) -> Tensor:
    """Each operation on all images, its result kept where it was chosen."""
    operations, strengths = (column[:, None, None, None] for column in choices[:2])
    result = affine(images, choices.matrices)
    for operation, function in COLOUR.items():
        result = where(operations == operation, function(images, strengths), result)
    return result


def _matrix(operation: Operation, strength: float, height: int, width: int) -> tuple[float, ...]:
    """Two rows that say where a pixel of the result comes from, both in pixels from the image's centre.

    Shears leave the top or left edge in place; translations are by whole pixels; degrees turn counter-clockwise.
    """
    match operation:
        case Operation.SHEAR_X:
            return (1, strength, strength * height / 2, 0, 1, 0)
        case Operation.SHEAR_Y:
            return (1, 0, 0, strength, 1, strength * width / 2)
        case Operation.TRANSLATE_X:
            return (1, 0, -int(strength), 0, 1, 0)
        case Operation.TRANSLATE_Y:
            return (1, 0, 0, 0, 1, -int(strength))
        case Operation.ROTATE:
            cosine, sine = math.cos(math.radians(strength)), math.sin(math.radians(strength))
            return (cosine, -sine, 0, sine, cosine, 0)
    return (1, 0, 0, 0, 1, 0)


def brightness(images: Tensor, strengths: Tensor) -> Tensor:
    return _bytes(images * (1 + strengths))


def color(images: Tensor, strengths: Tensor) -> Tensor:
    """Away from each pixel's grey or, with a negative strength, towards it."""
    return images if images.shape[1] == 1 else _blend(images, _grey(images)[:, None], strengths)


def contrast(images: Tensor, strengths: Tensor) -> Tensor:
    """Away from the image's mean grey or towards it."""
    grey = _grey(images).to(torch.uint8)
    mean = grey.sum((1, 2)) / grey[0].numel()
    return _blend(images, mean[:, None, None, None], strengths)


def sharpness(images: Tensor, strengths: Tensor) -> Tensor:
    """Away from the smoothed image or towards it: 3x3 weights of 1 with 5 in the middle, over 13. The border stays."""
    pixels = images.float()
    inner = pixels[:, :, 1:-1, 1:-1]
    rows = pixels[:, :, :-2] + pixels[:, :, 1:-1] + pixels[:, :, 2:]
    smooth = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]).add_(inner, alpha=4).div_(13).round_()
    inner.addcmul_(smooth.sub_(inner), strengths, value=-1)
    return _bytes(pixels)


def posterize(images: Tensor, strengths: Tensor) -> Tensor:
    """The bits that are set in the strength (0 to 255)."""
    return images & strengths.to(torch.uint8)


def solarize(images: Tensor, strengths: Tensor) -> Tensor:
    """Values from the strength (0 to 255) on are inverted."""
    return where(images >= strengths.to(torch.uint8), ~images, images)


def auto_contrast(images: Tensor, _: Tensor) -> Tensor:
    """Each channel stretched to reach from 0 to 255."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    flat = low == high
    scale = ((high - low) * (1 / 255)).masked_fill_(flat, 1)
    return _bytes((images - low.masked_fill(flat, 0)) / scale)


def equalize(images: Tensor, _: Tensor) -> Tensor:
    """Each channel with its histogram made as even as Pillow makes it."""
    levels = images.flatten(2).long()
    counts = torch.zeros(*levels.shape[:2], 256, dtype=torch.int32, device=images.device)
    counts.scatter_add_(2, levels, counts.new_ones(1).expand_as(levels))
    brightest = counts.gather(2, levels.amax(2, keepdim=True))
    step = (levels.shape[2] - brightest) // 255
    below = counts.cumsum(2) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp_(max=255).to(torch.uint8)
    return where(step[..., None] > 0, table.gather(2, levels).view_as(images), images)


def invert(images: Tensor, _: Tensor) -> Tensor:
    return ~images


COLOUR: dict[Operation, Callable[[Tensor, Tensor], Tensor]] = {
    Operation.BRIGHTNESS: brightness,
    Operation.COLOR: color,
    Operation.CONTRAST: contrast,
    Operation.SHARPNESS: sharpness,
    Operation.POSTERIZE: posterize,
    Operation.SOLARIZE: solarize,
    Operation.AUTO_CONTRAST: auto_contrast,
    Operation.EQUALIZE: equalize,
    Operation.INVERT: invert,
}
"""Those that leave each pixel in its place."""


def _grey(images: Tensor) -> Tensor:
    """Whole levels, float32 [N, H, W]."""
    if images.shape[1] == 1:
        return images[:, 0].float()
    red, green, blue = images.unbind(1)
    return red.mul(0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()


def _blend(images: Tensor, others: Tensor, strengths: Tensor) -> Tensor:
    return _bytes((images * (1 + strengths)).addcmul_(others, strengths, value=-1))


def _bytes(values: Tensor) -> Tensor:
    """Cut to the range of a uint8; fractions are dropped, as torchvision does."""
    return values.clamp_(0, 255).to(torch.uint8)
