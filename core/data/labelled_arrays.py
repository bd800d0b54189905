"""Arrays of images and of their labels, checked against each other, on their way into the cache of decoded data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data import shaping
from core.data.array_files import ArrayFile, Stored
from core.data.decoded import Content, Part
from core.data.images import Form, Look, brought_to
from core.errors import UserError
from core.sections import Data

Labels = npt.NDArray[np.int64]
MOST_IMAGES, MOST_CLASSES, LONGEST_SIDE = 50_000_000, 10_000, 8192


class Layout(NamedTuple):
    """Where an array of images has what."""

    height: int
    width: int
    channels: int
    channels_first: bool = False

    def planes(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """[n, channels, height, width]."""
        if self.channels_first:
            return rows
        return rows.reshape(-1, self.height, self.width, self.channels).transpose(0, 3, 1, 2)


class Split(NamedTuple):
    where: str
    """The file and the array, for errors."""
    images: Stored
    layout: Layout
    labels: Labels


class Labelled(NamedTuple):
    """``splits`` has ``train`` and perhaps ``val`` and ``test``, their labels positions in ``classes``."""

    classes: tuple[str, ...]
    splits: dict[str, Split]

    def form(self, settings: Data) -> Form:
        return shaping.form(settings, self._looks())

    def content(self, settings: Data, form: Form) -> Content:
        parts = {name: _part(split, form) for name, split in self.splits.items()}
        notes = shaping.notes(settings, self._looks(), form)
        if "test" not in parts:
            train, notes = self.splits["train"], (shaping.SPLIT, *notes)
            kept = shaping.kept_for_test(train.labels)
            parts |= {"train": _part(train, form, ~kept), "test": _part(train, form, kept)}
        return Content(self.classes, parts["train"], parts["test"], validation=parts.get("val"), notes=notes)

    def _looks(self) -> list[Look]:
        return [Look(min(layout.height, layout.width), layout.channels == 1) for _, _, layout, _ in self.splits.values()]


def checked(path: Path, file: ArrayFile, keys: dict[str, tuple[str, str]]) -> Labelled:
    """What ``keys`` names in the file, a pair of images and labels for each split. Raises UserError for what does not fit."""
    found = {split: _split(path, file, *pair) for split, pair in keys.items()}
    values = np.unique(np.concatenate([split.labels for split in found.values()]))
    classes = _classes(path, file.classes, values)
    if not file.classes:
        found = {name: split._replace(labels=np.searchsorted(values, split.labels)) for name, split in found.items()}
    least = 2 if "test" not in found else 1
    for number, count in enumerate(np.bincount(found["train"].labels, minlength=len(classes))):
        if count < least:
            needed = "none for training" if least == 1 else f"{count} in all, and one is kept for test"
            raise UserError(f"{str(path)!r}: images of the class {classes[number]!r}: {needed}; add some")
    return Labelled(classes, found)


def _split(path: Path, file: ArrayFile, images: str, labels: str) -> Split:
    where, stored = f"{str(path)!r}: {images}", file.arrays[images]
    layout = _layout(where, stored)
    count, answers = stored.shape[0], file.arrays[labels]
    if answers.dtype.kind not in "iu" or answers.shape not in ((count,), (count, 1)):
        given = f"{answers.dtype} {list(answers.shape)}"
        raise UserError(f"{str(path)!r}: {labels} is {given}; expected a whole number for each of the {count:,} images")
    return Split(where, stored, layout, answers.whole().reshape(-1).astype(np.int64))


def _layout(where: str, stored: Stored) -> Layout:
    count, *shape = stored.shape or (0,)
    if stored.dtype != np.uint8 and stored.dtype.kind != "f":
        raise UserError(f"{where} is {stored.dtype}; expected uint8, or numbers from 0 to 1")
    if len(shape) == 2:
        layout = Layout(shape[0], shape[1], 1)
    elif len(shape) == 3 and shape[2] in (1, 3):
        layout = Layout(shape[0], shape[1], shape[2])
    elif len(shape) == 3 and shape[0] in (1, 3):
        layout = Layout(shape[1], shape[2], shape[0], channels_first=True)
    else:
        expected = "[n, height, width], [n, height, width, 1 or 3] or [n, 1 or 3, height, width]"
        raise UserError(f"{where} is {list(stored.shape)}; expected {expected}")
    if not 0 < count <= MOST_IMAGES or not 0 < min(layout[:2]) <= max(layout[:2]) <= LONGEST_SIDE:
        limits = f"1 to {MOST_IMAGES:,} images of sides up to {LONGEST_SIDE:,} pixels"
        raise UserError(f"{where} is {list(stored.shape)}; expected {limits}")
    return layout


def _classes(path: Path, names: tuple[str, ...], values: Labels) -> tuple[str, ...]:
    if not names:
        names = tuple(map(str, values[: MOST_CLASSES + 1].tolist()))
    elif values[0] < 0 or values[-1] >= len(names):
        raise UserError(f"{str(path)!r}: labels from {values[0]} to {values[-1]}, but {len(names)} names of classes")
    if not 2 <= len(names) <= MOST_CLASSES or len(set(names)) != len(names):
        given = "names that repeat" if len(set(names)) != len(names) else f"{len(values):,} different labels"
        raise UserError(f"{str(path)!r}: {given}; expected 2 to {MOST_CLASSES:,} classes")
    return names


def _part(split: Split, form: Form, kept: npt.NDArray[np.bool_] | None = None) -> Part:
    labels = split.labels if kept is None else split.labels[kept]
    return Part(labels, form.shape, _pixels(split, form, kept))


def _pixels(split: Split, form: Form, kept: npt.NDArray[np.bool_] | None) -> Iterator[npt.NDArray[np.uint8]]:
    start = 0
    for rows in split.images.rows():
        chosen = rows if kept is None else rows[kept[start : start + len(rows)]]
        start += len(rows)
        if len(chosen):
            yield _brought_to(split.layout.planes(_bytes(chosen, split.where)), form)


def _bytes(rows: npt.NDArray[Any], where: str) -> npt.NDArray[np.uint8]:
    if rows.dtype == np.uint8:
        return rows
    low, high = float(rows.min()), float(rows.max())
    if not (low >= 0 and high <= 1):  # NaN is neither
        raise UserError(f"{where} has numbers from {low:g} to {high:g}; expected 0 to 1, or uint8")
    return np.rint(rows.astype(np.float64) * 255).astype(np.uint8)


def _brought_to(planes: npt.NDArray[np.uint8], form: Form) -> npt.NDArray[np.uint8]:
    if planes.shape[1:] == form.shape:
        return np.ascontiguousarray(planes)
    last = planes[:, 0] if planes.shape[1] == 1 else planes.transpose(0, 2, 3, 1)
    return np.stack([brought_to(Image.fromarray(np.ascontiguousarray(image)), form) for image in last])
