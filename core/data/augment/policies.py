"""What is done to which image, and how strongly: TrivialAugment and AutoAugment as torchvision has them."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from core.data.augment.operations import Choices, Operation, apply, possibilities
from core.sections import TrivialAugment

WIDE = {
    Operation.IDENTITY: 0.0,
    Operation.SHEAR_X: 0.99,
    Operation.SHEAR_Y: 0.99,
    Operation.TRANSLATE_X: 32.0,
    Operation.TRANSLATE_Y: 32.0,
    Operation.ROTATE: 135.0,
    Operation.BRIGHTNESS: 0.99,
    Operation.COLOR: 0.99,
    Operation.CONTRAST: 0.99,
    Operation.SHARPNESS: 0.99,
    Operation.POSTERIZE: 6.0,
    Operation.SOLARIZE: 1.0,
    Operation.AUTO_CONTRAST: 0.0,
    Operation.EQUALIZE: 0.0,
}
"""TrivialAugment's wide space (arXiv 2103.10158): operations with the greatest of their strengths (pixels, degrees, bits)."""

CIFAR10 = (
    (("INVERT", 0.1, 0), ("CONTRAST", 0.2, 6)),
    (("ROTATE", 0.7, 2), ("TRANSLATE_X", 0.3, 9)),
    (("SHARPNESS", 0.8, 1), ("SHARPNESS", 0.9, 3)),
    (("SHEAR_Y", 0.5, 8), ("TRANSLATE_Y", 0.7, 9)),
    (("AUTO_CONTRAST", 0.5, 0), ("EQUALIZE", 0.9, 0)),
    (("SHEAR_Y", 0.2, 7), ("POSTERIZE", 0.3, 7)),
    (("COLOR", 0.4, 3), ("BRIGHTNESS", 0.6, 7)),
    (("SHARPNESS", 0.3, 9), ("BRIGHTNESS", 0.7, 9)),
    (("EQUALIZE", 0.6, 0), ("EQUALIZE", 0.5, 0)),
    (("CONTRAST", 0.6, 7), ("SHARPNESS", 0.6, 5)),
    (("COLOR", 0.7, 7), ("TRANSLATE_X", 0.5, 8)),
    (("EQUALIZE", 0.3, 0), ("AUTO_CONTRAST", 0.4, 0)),
    (("TRANSLATE_Y", 0.4, 3), ("SHARPNESS", 0.2, 6)),
    (("BRIGHTNESS", 0.9, 6), ("COLOR", 0.2, 8)),
    (("SOLARIZE", 0.5, 2), ("INVERT", 0.0, 0)),
    (("EQUALIZE", 0.2, 0), ("AUTO_CONTRAST", 0.6, 0)),
    (("EQUALIZE", 0.2, 0), ("EQUALIZE", 0.6, 0)),
    (("COLOR", 0.9, 9), ("EQUALIZE", 0.6, 0)),
    (("AUTO_CONTRAST", 0.8, 0), ("SOLARIZE", 0.2, 8)),
    (("BRIGHTNESS", 0.1, 3), ("COLOR", 0.7, 0)),
    (("SOLARIZE", 0.4, 5), ("AUTO_CONTRAST", 0.9, 0)),
    (("TRANSLATE_Y", 0.9, 9), ("TRANSLATE_Y", 0.7, 9)),
    (("AUTO_CONTRAST", 0.9, 0), ("SOLARIZE", 0.8, 3)),
    (("EQUALIZE", 0.8, 0), ("INVERT", 0.1, 0)),
    (("TRANSLATE_Y", 0.7, 9), ("AUTO_CONTRAST", 0.9, 0)),
)
"""AutoAugment's policy for CIFAR-10 (arXiv 1805.09501, table 7 of its appendix): pairs of (operation, probability, level)."""
LEVELS = 10


def trivial_augment(images: Tensor, transform: TrivialAugment, draws: Tensor) -> Tensor:
    """One operation of one strength for each image; ``draws`` [B, 3] are the operation, the strength and its sign."""
    height, width = images.shape[-2:]
    possible = _wide(transform.bins, height, width, images.device)
    sizes = (len(WIDE), transform.bins, 2)
    operation, level, sign = ((draws[:, column] * size).long() for column, size in enumerate(sizes))
    return apply(images, possible.at((operation * transform.bins + level) * 2 + sign))


def auto_augment(images: Tensor, draws: Tensor) -> Tensor:
    """Two operations in turn, each with its probability, from one of the policy's pairs for each image.

    ``draws`` [B, 5] are the pair and, for each of its operations, whether it is applied and the sign of its strength.
    """
    height, width = images.shape[-2:]
    possible, probabilities = _policy(height, width, images.device)
    pair = (draws[:, 0] * len(CIFAR10)).long()
    for place in range(2):
        row = pair * 2 + place
        applied, sign = draws[:, 1 + 2 * place] < probabilities[row], draws[:, 2 + 2 * place] < 0.5
        images = apply(images, possible.at(torch.where(applied, row * 2 + sign, 4 * len(CIFAR10))))
    return images


@lru_cache(maxsize=16)  # making a tensor on a GPU waits for it, which a step must not
def _wide(bins: int, height: int, width: int, device: torch.device) -> Choices:
    """A row for each operation, strength and sign, in this order."""
    strengths = ((operation, _strengths(operation, largest, bins)) for operation, largest in WIDE.items())
    pairs = [(operation, value) for operation, signed in strengths for both in signed for value in both]
    return Choices(*(column.to(device) for column in possibilities(pairs, height, width)))


@lru_cache(maxsize=16)
def _policy(height: int, width: int, device: torch.device) -> tuple[Choices, Tensor]:
    """A row for each operation of each pair and each sign, and one for none; the operations' probabilities."""
    entries = [(Operation[name], probability, level) for pair in CIFAR10 for name, probability, level in pair]
    pairs = [
        (operation, value)
        for operation, _, level in entries
        for value in _strengths(operation, _largest(operation, height, width), LEVELS)[level]
    ]
    possible = possibilities([*pairs, (Operation.IDENTITY, 0.0)], height, width)
    probabilities = torch.tensor([probability for _, probability, _ in entries])
    return Choices(*(column.to(device) for column in possible)), probabilities.to(device)


def _largest(operation: Operation, height: int, width: int) -> float:
    """AutoAugment's greatest strengths; it was learned on images of 331 pixels."""
    match operation:
        case Operation.SHEAR_X | Operation.SHEAR_Y:
            return 0.3
        case Operation.TRANSLATE_X:
            return 150 / 331 * width
        case Operation.TRANSLATE_Y:
            return 150 / 331 * height
        case Operation.ROTATE:
            return 30.0
        case Operation.POSTERIZE:
            return 4.0
    return 0.9


def _strengths(operation: Operation, largest: float, bins: int) -> list[tuple[float, float]]:
    """From the least to the greatest, each with both its signs where it has one.

    Those of posterize are masks of the bits that stay, those of solarize the first level that is inverted.
    """
    match operation:
        case Operation.POSTERIZE:
            bits = (8 - torch.arange(bins) / ((bins - 1) / largest)).round()
            masks = (256 - 2 ** (8 - bits)).tolist()
            return list(zip(masks, masks, strict=True))
        case Operation.SOLARIZE:
            levels = (255 * torch.linspace(1, 0, bins)).ceil().tolist()
            return list(zip(levels, levels, strict=True))
    values = torch.linspace(0, largest, bins)
    return list(zip(values.tolist(), (-values).tolist(), strict=True))
