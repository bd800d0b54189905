"""A library's own download, in a process of its own: it can be cancelled at any moment, and how much has come shows in the
folder that it fills."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from core.data import Progress

LOOKING = 0.5
"""Seconds between two looks at how much has come."""


def fetch(command: Sequence[str], folder: Path, progress: Progress) -> str:
    """``command`` to its end; its last words where it failed, else nothing."""
    before = size(folder)
    with tempfile.TemporaryFile() as words:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words)
        try:
            while child.poll() is None:
                progress("download", max(size(folder) - before, 0), 0, "bytes")
                time.sleep(LOOKING)
        finally:
            child.kill()
            child.wait()
        words.seek(0)
        said = words.read().decode(errors="replace").strip().splitlines() if child.returncode else []
    return said[-1] if said else "no word of why" * bool(child.returncode)


def size(folder: Path) -> int:
    """Bytes of all files in it, each of them once."""
    return sum(_size(path) for path in folder.rglob("*"))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    except OSError:  # gone meanwhile
        return 0
