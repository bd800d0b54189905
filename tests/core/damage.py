"""A file made bad in every way that comes to mind."""

from __future__ import annotations

import os
import pickle
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Damage: TypeAlias = Callable[[Path], None]
BOMB = zlib.compress(bytes(50_000_000))
"""Fifty megabytes in fifty kilobytes."""


def truncated(share: float) -> Damage:
    """To a share of its length."""

    def damage(path: Path) -> None:
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    return damage


def flipped(share: float) -> Damage:
    """One bit, at a share of its length."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 4
        path.write_bytes(content)

    return damage


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"step": 1}))


def bomb(path: Path) -> None:
    path.write_bytes(BOMB)


def nested(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def linked_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def swapped(path: Path) -> None:
    """With the other run's file of that name, one directory up."""
    run = next(parent for parent in path.parents if parent.name == "run")
    shutil.copyfile(run.with_name("other") / path.relative_to(run), path)


DAMAGES: dict[str, Damage] = {
    **{f"truncated at {share}": truncated(share) for share in (0.01, 0.5, 0.9)},
    **{f"flipped at {share}": flipped(share) for share in (0.0, 0.4, 0.8)},
    "emptied": emptied,
    "a pickle": pickled,
    "a bomb": bomb,
    "nested": nested,
    "a link": linked,
    "a link to itself": linked_to_itself,
    "a pipe": pipe,
    "a folder": folder,
}
CHECKPOINT_FILES = ("model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json")
