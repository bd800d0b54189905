"""Checkpoints as bytes on disk: whole or not at all. Knows no torch and nothing of what the bytes mean.

A checkpoint is a folder ``checkpoints/step-00001234`` (a second one at the same step gets ``.1``, and so on) with a
``MANIFEST.json`` that holds each file's size and SHA-256. It is written under a temporary name, synced, and renamed when
whole; ``last.json`` and ``best.json`` point to one by name. A checkpoint that does not match its manifest is renamed to
``bad-...`` and never deleted.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from core.errors import UNREADABLE
from core.events import FORMAT
from core.files import create_whole, read_plain, sync, write_whole
from core.format import decode, prepare

MANIFEST = "MANIFEST.json"
WEIGHTS = "model.safetensors"
STATE = "state.json"
FOLDER = re.compile(r"step-(\d{8,12})(?:\.(\d{1,6}))?")
FILE = re.compile(r"[a-z][a-z_]{0,40}\.(safetensors|json)")
LARGEST_MANIFEST = 1 << 20
LARGEST = 8 << 30
"""Bytes of all files of a checkpoint; more than any of ours, and less than would bring a machine down that is to read it."""

PASSING = frozenset({errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE})
"""Errors that keep a good file from being read as well."""


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: str
    bytes: Annotated[int, msgspec.Meta(ge=0)]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Written last; without it a folder is no checkpoint."""

    format: int = FORMAT
    step: int
    epoch: int
    name: str = ""
    reason: str = ""
    run: str = ""
    """The run's id."""
    command: str = ""
    """Id of the command that asked for it."""
    line: int = 0
    """How often a person had taken the run back by then (:mod:`core.run.line`)."""
    time: float = 0.0
    files: dict[str, FileEntry]


class Best(msgspec.Struct, frozen=True):
    """``best.json`` and ``last.json``."""

    checkpoint: str
    metric: str = ""
    value: float | None = None


prepare(Manifest, Best)


class Damaged(Exception):
    """A checkpoint that is not what its manifest says, or not this run's."""


class Unreadable(Damaged):
    """One that cannot be looked at now, which says nothing against its bytes."""


def publish(
    folder: Path, manifest: Manifest, files: Mapping[str, bytes], before_visible: Callable[[], None] = lambda: None
) -> Path:
    """Write a checkpoint of ``files`` and make it visible in one step; returns its folder.

    ``manifest.files`` is filled in here. ``before_visible`` runs when the bytes are safe and nobody sees them yet: the place to
    sync the journal, so that no checkpoint knows of something that the journal does not. Raises OSError (disk full ...),
    with nothing left behind.
    """
    temporary = folder / f".writing-{manifest.step:08d}-{secrets.token_hex(4)}"
    temporary.mkdir(mode=0o700)
    try:
        entries = {name: FileEntry(_write(temporary / name, data), len(data)) for name, data in files.items()}
        whole = msgspec.structs.replace(manifest, files=entries, time=time.time())
        _write(temporary / MANIFEST, msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
        sync(temporary)
        before_visible()
        target = _free_folder(folder, manifest.step)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync(folder)
    point(folder, "last", Best(target.name))
    return target


def point(folder: Path, pointer: str, best: Best) -> None:
    """Set ``last.json`` or ``best.json``."""
    write_whole(folder / f"{pointer}.json", msgspec.json.encode(best) + b"\n")


def pointed(folder: Path, pointer: str) -> Best | None:
    """What a pointer names; None when it is missing, damaged, or names what is not there."""
    best = read_pointer(folder / f"{pointer}.json")
    return best if best and (folder / best.checkpoint).is_dir() else None


def read_pointer(path: Path) -> Best | None:
    """What a pointer says; None when it is missing or damaged."""
    try:
        best = msgspec.json.decode(read_plain(path, LARGEST_MANIFEST), type=Best)
    except (OSError, *UNREADABLE):
        return None
    return best if FOLDER.fullmatch(best.checkpoint) else None


def listing(folder: Path) -> list[Path]:
    """Visible checkpoints, oldest first; links are none."""
    try:
        found = [entry for entry in folder.iterdir() if FOLDER.fullmatch(entry.name) and not entry.is_symlink()]
    except OSError:
        return []
    return sorted((entry for entry in found if entry.is_dir()), key=lambda entry: position(entry.name))


def position(name: str) -> tuple[int, int]:
    """(step, serial) of a checkpoint's name, by which they sort."""
    match = FOLDER.fullmatch(name)
    return (int(match[1]), int(match[2] or 0)) if match else (-1, 0)


def read_manifest(checkpoint: Path) -> Manifest:
    """Raises :class:`Damaged`."""
    data = _read(checkpoint / MANIFEST, LARGEST_MANIFEST)
    try:
        manifest = decode(data, Manifest)
    except UNREADABLE as error:
        raise Damaged(f"{MANIFEST}: {error}") from None
    for name in manifest.files:
        if not FILE.fullmatch(name):
            raise Damaged(f"{MANIFEST} names {name!r}, which is no file of a checkpoint")
    size = sum(entry.bytes for entry in manifest.files.values())
    if size > LARGEST:
        raise Damaged(f"{MANIFEST} claims {size:,} bytes, where at most {LARGEST:,} were expected")
    return manifest


def check_run(manifest: Manifest, run: str) -> None:
    """Raises :class:`Damaged` for a checkpoint of another run than the one of that id (runs from before ids have none)."""
    if run and manifest.run and manifest.run != run:
        raise Damaged("it is another run's")


def read(checkpoint: Path, only: str | None = None) -> tuple[Manifest, dict[str, bytes]]:
    """The files of a checkpoint (or ``only`` one of them), each held against the manifest; raises :class:`Damaged`."""
    manifest = read_manifest(checkpoint)
    names = [name for name in manifest.files if only in (None, name)]
    if only and not names:
        raise Damaged(f"it has no {only}")
    return manifest, {name: _read_checked(checkpoint / name, manifest.files[name]) for name in names}


def set_aside(path: Path) -> Path:
    """Rename what is bad to ``bad-...``, a name that is free; returns it."""
    target = path.with_name(f"bad-{path.name}")
    while target.exists() or target.is_symlink():
        target = path.with_name(f"bad-{path.name}-{secrets.token_hex(2)}")
    path.rename(target)
    return target


def prune(folder: Path, keep: int) -> list[str]:
    """Remove what is neither among the ``keep`` latest, nor the best, nor named; returns the names removed."""
    best = pointed(folder, "best")
    removed = []
    for checkpoint in listing(folder)[:-keep]:
        if best and checkpoint.name == best.checkpoint:
            continue
        try:
            if read_manifest(checkpoint).name:
                continue
        except Damaged:
            continue
        trash = checkpoint.with_name(f".removing-{checkpoint.name}-{secrets.token_hex(2)}")
        checkpoint.rename(trash)  # never half a checkpoint under its own name
        shutil.rmtree(trash, ignore_errors=True)
        removed.append(checkpoint.name)
    return removed


def sweep(folder: Path) -> None:
    """Clear what a killed writer left half-done; only for the run's one writer."""
    for leftover in leftovers(folder):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def leftovers(folder: Path) -> list[Path]:
    """What a killed writer left half-done among a run's checkpoints: folders, and pointers under temporary names."""
    return sorted(path for pattern in (".writing-*", ".removing-*", ".*.tmp") for path in folder.glob(pattern))


def _free_folder(folder: Path, step: int) -> Path:
    """A name after all others of this step: one that was pruned must not be taken again, it would sort before them."""
    serials = [serial for found, serial in (position(entry.name) for entry in listing(folder)) if found == step]
    serial = max(serials, default=-1) + 1
    return folder / (f"step-{step:08d}" + (f".{serial}" if serial else ""))


def _write(path: Path, data: bytes) -> str:
    create_whole(path, data)
    return hashlib.sha256(data).hexdigest()


def _read_checked(path: Path, entry: FileEntry) -> bytes:
    data = _read(path, entry.bytes)
    if len(data) != entry.bytes:
        raise Damaged(f"{path.name} has {len(data):,} of the {entry.bytes:,} bytes that were written")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise Damaged(f"{path.name} does not match its SHA-256")
    return data


def _read(path: Path, largest: int) -> bytes:
    try:
        return read_plain(path, largest)
    except OSError as error:
        kind = Unreadable if error.errno in PASSING else Damaged
        raise kind(f"{path.name}: {error.strerror}") from None
