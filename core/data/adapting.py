"""A recipe is written for images of 32 pixels; what it gives in pixels grows with images that are larger by themselves."""

from __future__ import annotations

from msgspec.structs import replace

from core.recipe import Recipe
from core.sections import SMALL, Crop, Cutout, LowResolution, Transform


def adapted(recipe: Recipe, size: int) -> Recipe:
    """The recipe for images of ``size`` pixels; where ``data.size`` is set, whoever set it has set the rest too."""
    if recipe.data.size or size == SMALL:
        return recipe
    return replace(
        recipe,
        augment=tuple(_transform(transform, size) for transform in recipe.augment),
        low_resolution=tuple(_resolution(part, size) for part in recipe.low_resolution),
    )


def note(recipe: Recipe, size: int) -> str:
    """What :func:`adapted` changes, in a sentence; empty for nothing."""
    if adapted(recipe, size) == recipe:
        return ""
    return f"crop, cutout and low resolutions are {size / SMALL:g} times the recipe's, which are for images of {SMALL} pixels"


def _transform(transform: Transform, size: int) -> Transform:
    match transform:
        case Crop():
            return replace(transform, padding=_scaled(transform.padding, size))
        case Cutout():
            return replace(transform, size=_scaled(transform.size, size))
    return transform


def _resolution(part: LowResolution, size: int) -> LowResolution:
    return replace(part, size=_scaled(part.size, size))


def _scaled(pixels: int, size: int) -> int:
    return round(pixels * size / SMALL)
