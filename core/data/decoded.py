"""The cache of decoded data sets: memory-mapped arrays, written once, checked against their hash at every opening."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.cache import cache_folder
from core.data import Dataset, Images, Progress
from core.data.exclusive import exclusive, writable
from core.errors import UserError
from core.files import create, open_plain, read_plain
from core.run.disk import free_bytes
from core.view.words import format_bytes

CHUNK = 4 << 20
"""Bytes that are hashed or measured at a time, but one image at the least."""
LARGEST_META = 1 << 20
"""Bytes."""


class Part(NamedTuple):
    """One split on its way into the cache: ``labels`` int64 [n]; ``pixels`` yields uint8 [k, *shape], n in all."""

    labels: npt.NDArray[np.int64]
    shape: tuple[int, int, int]
    pixels: Iterable[npt.NDArray[np.uint8]]


@dataclass(frozen=True)
class Content:
    """A data set that is not decoded yet; without ``mean`` and ``std`` they are measured on the training pixels."""

    classes: tuple[str, ...]
    train: Part
    test: Part
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    validation: Part | None = None
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> dict[str, Part]:
        held_out = {"validation": self.validation} if self.validation else {}
        return {"train": self.train, **held_out, "test": self.test}


class _Meta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    signature: str
    fingerprint: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    validation: bool = False
    notes: tuple[str, ...] = ()


def load(name: str, place: str, signature: str, build: Callable[[], Content], progress: Progress) -> Dataset:
    """The data set ``name`` from the cache, or built and kept there when absent, damaged or of another signature.

    ``place`` says where its files lie, ``signature`` the state they are in, so that a place has one entry however often
    its files change. Raises UserError when the cache cannot be written, and what ``build`` raises, and the pixels
    that it gives: whoever reads them has OSErrors as UserErrors, for here they would be the cache's.
    """
    folder = cache_folder() / "decoded" / hashlib.sha256(os.fsencode(f"{name} {place}")).hexdigest()[:32]
    dataset = _open(folder, name, signature, progress)
    if dataset:
        return dataset
    with exclusive(folder, lambda: progress("prepare", 0, 0, "images")):
        dataset = _open(folder, name, signature, progress)  # another process may have built it meanwhile
        if dataset is None:
            content = build()
            with writable(folder):
                _replace(folder, signature, content, progress)
            dataset = _open(folder, name, signature, progress)
    if dataset is None:
        raise UserError(f"cache {str(folder)!r}: what was just written does not read back; check the disk")
    return dataset


def signature_of(files: Iterable[Path]) -> str:
    """Hex digest of names, sizes and modification times."""
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(repr((str(file), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()


def fingerprint_of(dataset: Dataset, tick: Callable[[int], None] = lambda count: None) -> str:
    """SHA-256 (hex) of the content; ``tick`` is called with the count of images hashed since its last call."""
    digest = hashlib.sha256(msgspec.json.encode((dataset.classes, dataset.mean, dataset.std)))
    for pixels, labels in filter(None, (dataset.train, dataset.validation, dataset.test)):
        digest.update(repr(pixels.shape).encode())
        digest.update(labels.astype("<i8").tobytes())
        for chunk in _chunks(pixels):
            digest.update(np.ascontiguousarray(chunk).data)
            tick(len(chunk))
    return digest.hexdigest()


def _open(folder: Path, name: str, signature: str, progress: Progress) -> Dataset | None:
    try:
        meta = msgspec.json.decode(read_plain(folder / "meta.json", LARGEST_META), type=_Meta)
        if meta.signature != signature:
            return None
        train, test = _map(folder, "train"), _map(folder, "test")
        held_out = _map(folder, "validation") if meta.validation else None
    except (OSError, ValueError, EOFError, RecursionError):  # msgspec's errors are ValueErrors too
        return None
    dataset = Dataset(name, meta.classes, train, test, meta.mean, meta.std, meta.fingerprint, held_out, meta.notes)
    count = _Count(sum(len(images.labels) for images in (train, test, held_out) if images), progress)
    return dataset if fingerprint_of(dataset, count.add) == meta.fingerprint else None


def _map(folder: Path, split: str) -> Images:
    """Raises OSError or ValueError for what is no array of ours."""
    pixels, labels = _array(folder / f"{split}_pixels.npy", "u1", 4), _array(folder / f"{split}_labels.npy", "i8", 1)
    if len(pixels) != len(labels):
        raise ValueError(f"{len(pixels)} images with {len(labels)} labels")
    return Images(pixels, labels)


def _array(path: Path, kind: str, dimensions: int) -> npt.NDArray[Any]:
    open_plain(path).close()  # numpy would wait for a pipe
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.dtype(kind) or array.ndim != dimensions:
        raise ValueError(f"{path.name}: {array.dtype} of {array.ndim} dimensions")
    return array


def _replace(folder: Path, signature: str, content: Content, progress: Progress) -> None:
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a process that was killed: the lock is ours
    try:
        part.mkdir(mode=0o700)
        _write(part, signature, content, progress)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write(folder: Path, signature: str, content: Content, progress: Progress) -> None:
    _check_room(folder, content)
    count = _Count(sum(len(part.labels) for part in content.parts.values()), progress)
    for split, part in content.parts.items():
        with create(folder / f"{split}_labels.npy") as file:
            np.save(file, part.labels, allow_pickle=False)
        with create(folder / f"{split}_pixels.npy") as file:
            _write_pixels(file, part, count)
    found = {split: _map(folder, split) for split in content.parts}
    mean, std = (content.mean, content.std) if content.mean else _measure(found["train"].pixels)
    dataset = Dataset("", content.classes, found["train"], found["test"], mean, std, "", found.get("validation"))
    meta = _Meta(
        signature=signature, fingerprint=fingerprint_of(dataset), classes=content.classes, mean=mean, std=std,
        validation="validation" in found, notes=content.notes,
    )  # fmt: skip
    with create(folder / "meta.json") as file:
        file.write(msgspec.json.encode(meta))


def _check_room(folder: Path, content: Content) -> None:
    """Before the disk is filled with what cannot be kept. Raises UserError."""
    size, free = sum(len(part.labels) * math.prod(part.shape) for part in content.parts.values()), free_bytes(folder)
    if free is not None and size > free:
        text = f"the decoded images take {format_bytes(size)}, and {format_bytes(free)} are free"
        raise UserError(
            f"cache {str(folder.parent)!r}: {text}; free some space there, or set TUI_TRAINER_CACHE to another folder"
        )


def _write_pixels(file: BinaryIO, part: Part, count: _Count) -> None:
    # Plain writes instead of a writable memory map: on a full disk a map ends the process with SIGBUS.
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(part.labels), *part.shape)}
    np.lib.format.write_array_header_1_0(file, header)
    for chunk in part.pixels:
        file.write(chunk.tobytes())
        count.add(len(chunk))


def _measure(pixels: npt.NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel of pixels scaled to 0..1."""
    channels = pixels.shape[1]
    counts = np.zeros((channels, 256))
    for chunk in _chunks(pixels):
        for channel in range(channels):
            counts[channel] += np.bincount(chunk[:, channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    weights = counts / counts.sum(axis=1, keepdims=True)
    mean = weights @ levels
    variance = (weights * (levels - mean[:, None]) ** 2).sum(axis=1)
    std = np.maximum(np.sqrt(variance), 1 / 255)  # a channel of one value must not divide by zero
    return tuple(mean.tolist()), tuple(std.tolist())


def _chunks(pixels: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.uint8]]:
    count = max(1, CHUNK // max(1, pixels[:1].nbytes))
    return (pixels[start : start + count] for start in range(0, len(pixels), count))


class _Count:
    """Adds up images for the progress callback."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.done, self.total, self.progress = 0, total, progress
        self.add(0)

    def add(self, images: int) -> None:
        self.done += images
        self.progress("prepare", self.done, self.total, "images")
