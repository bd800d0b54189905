"""How much room a run takes on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def folder_bytes(folder: Path) -> int:
    """The sizes of all plain files in it; links are not followed, and what cannot be looked at counts for nothing."""
    total, waiting = 0, [str(folder)]
    while waiting:
        for entry in _entries(waiting.pop()):
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries
