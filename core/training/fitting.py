"""Out of memory: what a smaller batch would have to be, found out by trying."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from core.errors import TrainingError, out_of_memory
from core.training.memory import give_back

T = TypeVar("T")


def fitting(work: Callable[[], T], key: str, batch: int, attempt: Callable[[int], object]) -> T:
    """What ``work`` returns. Raises TrainingError when there is not enough memory for it.

    ``attempt`` does the same with so many images; ``key`` is the setting of the size ``batch`` that was too large.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    # Only now has the error let go of the frames that held what the failed attempt had taken.
    found = largest_that_fits(batch, attempt)
    advice = f"{found} fits on this machine (tried): --set {key}={found} in a new run"
    none = "and not a single image fits; free memory, or choose a smaller model"
    raise TrainingError("memory", f"out of memory with {key} {batch}; {advice if found else none}")


def largest_that_fits(batch: int, attempt: Callable[[int], object]) -> int:
    """The first of a half, a quarter ... of ``batch`` that ``attempt`` gets through with; 0 where not even one image does."""
    while batch := batch // 2:
        give_back()  # or what the attempt before took for tensors alone would stay so
        with suppress(Exception):  # whatever it fails of in so little memory, it does not fit
            attempt(batch)
            return batch
    return 0
