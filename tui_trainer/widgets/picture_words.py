"""The names of classes below a picture."""

from __future__ import annotations


def name_of(classes: tuple[str, ...], number: int) -> str:
    """Of a class; its number where a file names one that there is not."""
    return classes[number] if 0 <= number < len(classes) else str(number)


def short_names(names: tuple[str, str], width: int) -> tuple[str, str]:
    """Both cut so that they have at most so many characters together; what one does not need is the other's."""
    first, second = names
    half = width // 2
    kept = min(len(first), max(half, width - len(second)))
    return first[:kept], second[: max(width - kept, 0)]
