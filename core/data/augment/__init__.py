"""Random transforms of whole uint8 batches on their device, each image with draws of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from core.data.augment.cutout import cutout
from core.data.augment.geometry import crop, flip, perspective
from core.data.augment.policies import auto_augment, trivial_augment
from core.data.random import uniform
from core.errors import UserError
from core.sections import AutoAugment, Crop, Cutout, Flip, Perspective, Transform, TrivialAugment


def augment(
    images: Tensor, transforms: Sequence[Transform], seed: int, epoch: int, samples: Tensor, mean: Sequence[float]
) -> Tensor:
    """The transforms in order on uint8 [B, C, H, W]; ``samples`` int64 [B] names each image within the training split, and
    ``mean`` (per channel, of values from 0 to 1) is the colour of what is cut out.

    An image's result depends on (seed, epoch, its sample, the transforms, the mean) alone. :func:`check` says which images
    the transforms can take.
    """
    for stream, transform in enumerate(transforms):
        draws = partial(uniform, seed, epoch, samples, stream)
        match transform:
            case Perspective():
                images = perspective(images, transform, draws(9))
            case Crop():
                images = crop(images, transform, draws(2))
            case Flip(alternate=True):
                first = uniform(seed, 1, samples, stream, 1)[:, 0] < transform.p
                images = flip(images, first ^ (epoch % 2 == 0))
            case Flip():
                images = flip(images, draws(1)[:, 0] < transform.p)
            case Cutout():
                images = cutout(images, transform, draws(3), tuple(mean))
            case TrivialAugment():
                images = trivial_augment(images, transform, draws(3))
            case AutoAugment():
                images = auto_augment(images, draws(5))
    return images


def check(transforms: Sequence[Transform], channels: int, height: int, width: int) -> None:
    """Raises UserError when a transform cannot take images of this shape."""
    for index, transform in enumerate(transforms):
        match transform:
            case Crop(padding=padding, fill="reflect") if padding >= min(height, width):
                raise UserError(
                    f"augment[{index}].padding: {padding} pixels cannot be reflected by images of {height}x{width} pixels; "
                    f"use at most {min(height, width) - 1}, or fill = 'zero'"
                )
            case TrivialAugment() | AutoAugment() if channels not in (1, 3):
                name = transform.__struct_config__.tag
                raise UserError(f"augment[{index}].name: {name} needs images of 1 or 3 channels, not {channels}; leave it out")
