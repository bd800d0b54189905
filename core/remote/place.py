"""Up to which byte a journal has come, so that the far side can tell whether it still is that journal."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from core.files import open_plain

SAMPLE = 4096
"""Bytes before the place that are looked at."""


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def mark(identity: str, journal: Path, offset: int) -> str:
    """Of the run and of what stands in its journal before ``offset``. Raises OSError."""
    digest = hashlib.sha256(f"{identity} {offset} ".encode())
    if offset:
        with open_plain(journal) as file:
            digest.update(os.pread(file.fileno(), min(SAMPLE, offset), max(0, offset - SAMPLE)))
    return digest.hexdigest()
