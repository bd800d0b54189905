"""Disks that take nothing: small ones that are filled, read-only folders, and limits on the size of files."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RLIMIT = resource.RLIMIT_FSIZE


def mount(*arguments: str) -> None:
    """Skips the test where mounting is not allowed."""
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own at ``folder``; ``size`` as mount takes it."""
    folder.mkdir()
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        unmount(folder)


def fill(disk: Path, left: int = 0) -> None:
    """Take all bytes of a disk but so many into a file named ``filler``."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
        file.truncate(file.tell() - left)


def forbid_writing(folder: Path) -> None:
    """To be undone by :func:`unmount`."""
    mount("--bind", str(folder), str(folder))
    try:
        mount("-o", "remount,bind,ro", str(folder))
    except BaseException:
        unmount(folder)
        raise


@contextmanager
def longest_file(size: int) -> Iterator[None]:
    """For this process, bytes."""
    before, most = resource.getrlimit(RLIMIT)
    resource.setrlimit(RLIMIT, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(RLIMIT, (before, most))


def limit_files(process: int, size: int | None) -> None:
    """For a living process; None for no limit."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("limits of another process cannot be set here")
    resource.prlimit(process, RLIMIT, (resource.RLIM_INFINITY if size is None else size, resource.RLIM_INFINITY))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
