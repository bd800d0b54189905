"""Memory: how much there is, and what of it the process keeps so that a step does not ask the system for it again."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
"""Where a container's limit stands."""

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""glibc's names in ``malloc.h``."""


def give_back() -> None:
    """Hand what was freed back to the system, this once, so that others than malloc may have it: code that is generated, for
    one, needs pages of its own. Does nothing where the C library cannot."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def keep() -> bool:
    """Have malloc keep what was freed. Returns whether the C library can.

    Left alone, glibc hands every block over 32 MiB back when it is freed, and a step of a large batch then spends a good
    part of its time on page faults of memory that it had a moment before.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none to ask (Windows)
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, -1))


def available() -> int:
    """Bytes that may be taken without anything being swapped out; a container may have less than its machine."""
    free: int = psutil.virtual_memory().available
    with suppress(OSError, ValueError, StopIteration):  # no such limit: "max" is no number
        used = int((CGROUP / "memory.current").read_text())
        lines = (CGROUP / "memory.stat").read_text().splitlines()
        cached = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        free = min(free, int((CGROUP / "memory.max").read_text()) - used + cached)
    return max(free, 0)
