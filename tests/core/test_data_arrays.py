"""Images and labels in one .npz or .safetensors file, whatever is wrong with it."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save_file

from core import data
from core.data import array_files, decoded
from core.errors import UserError
from core.models import Inputs
from core.sections import Data
from core.training import setup as setups
from tests.core.training import tiny

PIXELS = np.random.RandomState(0).randint(0, 256, (40, 32, 32, 3)).astype(np.uint8)
LABELS = np.arange(40) % 4
SPLITS: dict[str, npt.NDArray[Any]] = {
    "x_train": PIXELS[:32], "y_train": LABELS[:32], "x_test": PIXELS[32:], "y_test": LABELS[32:],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


def npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def load(path: Path, **values: Any) -> data.Dataset:
    return data.load(Data(source="arrays", path=str(path), **values))


def fails(path: Path, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as error:
        load(path)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("form", ["npz", "npz of its own", "safetensors"])
def test_all_splits_of_a_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"mine.{form.split()[0]}"
    arrays = {**SPLITS, "x_val": PIXELS[:8], "y_val": LABELS[:8]}
    if form == "npz of its own":  # as MedMNIST has it
        images = {f"{key[2:]}_images": value for key, value in arrays.items() if key[0] == "x"}
        arrays = images | {f"{key[2:]}_labels": value.reshape(-1, 1) for key, value in arrays.items() if key[0] == "y"}
    if form == "safetensors":
        save_file(arrays, path, metadata={"classes": json.dumps(["ant", "bee", "cow", "dog"])})
    else:
        npz(path, **arrays, classes=["ant", "bee", "cow", "dog"])
    assert data.from_text(str(path), Data()) == Data(source="arrays", path=str(path))
    assert data.inputs(Data(source="arrays", path=str(path))) == Inputs(4, 3, 32)
    dataset = load(path)
    assert dataset.classes == ("ant", "bee", "cow", "dog") and dataset.notes == ()
    assert np.array_equal(dataset.train.pixels, PIXELS[:32].transpose(0, 3, 1, 2))
    assert np.array_equal(dataset.test.labels, LABELS[32:])
    assert dataset.validation is not None and np.array_equal(dataset.validation.labels, LABELS[:8])
    assert load(path).fingerprint == dataset.fingerprint and isinstance(load(path).train.pixels, np.memmap)


def test_images_alone_give_every_tenth_for_test(tmp_path: Path) -> None:
    dataset = load(npz(tmp_path / "mine.npz", images=PIXELS, labels=LABELS * 10 - 5))
    assert dataset.classes == ("-5", "5", "15", "25") and dataset.notes == (
        "no test split: every tenth image of each class is kept for test",
    )
    assert np.bincount(dataset.test.labels).tolist() == [1] * 4 and len(dataset.train.labels) == 36
    assert np.array_equal(dataset.test.pixels, PIXELS[36:].transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("images", "channels"),
    [(PIXELS[..., 0], 1), (PIXELS[..., :1], 1), (PIXELS.transpose(0, 3, 1, 2), 3), (PIXELS[:, :20], 3)],
    ids=["grey", "grey, one channel", "channels first", "not square"],
)  # fmt: skip
def test_layouts(tmp_path: Path, images: npt.NDArray[np.uint8], channels: int) -> None:
    dataset = load(npz(tmp_path / "mine.npz", images=images, labels=LABELS))
    assert dataset.train.pixels.shape == (36, channels, 32, 32)
    if images.shape[1:3] == (32, 32) or images.shape[2:] == (32, 32):
        expected = PIXELS.transpose(0, 3, 1, 2)[:, :channels]
        assert np.array_equal(dataset.train.pixels, expected[:36])


def test_other_sizes_and_colours_are_brought_to_the_form(tmp_path: Path) -> None:
    path = npz(tmp_path / "mine.npz", images=PIXELS[:, :8, :8, 0], labels=LABELS)
    assert load(path).train.pixels.shape[1:] == (1, 32, 32)
    assert load(path, size=8, color_mode="rgb").train.pixels.shape[1:] == (3, 8, 8)
    assert np.array_equal(load(path, size=8).train.pixels[:, 0], PIXELS[:36, :8, :8, 0])


def test_numbers_from_0_to_1_are_pixels_too(tmp_path: Path) -> None:
    floats = (PIXELS / 255).astype(np.float32)
    whole = load(npz(tmp_path / "a.npz", images=PIXELS, labels=LABELS))
    assert load(npz(tmp_path / "b.npz", images=floats, labels=LABELS)).fingerprint == whole.fingerprint
    for wrong in (floats * 255, floats - 0.1, np.where(floats > 0.99, np.nan, floats)):
        fails(npz(tmp_path / "c.npz", images=wrong, labels=LABELS), "images has numbers from .*; expected 0 to 1, or uint8")


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"a": PIXELS}, r"has the arrays a; expected x_train, y_train"),
        ({"images": PIXELS}, r"has the arrays images; expected"),
        ({"images": PIXELS, "labels": LABELS[:-1]}, r"labels is int64 \[39\]; expected a whole number for each"),
        ({"images": PIXELS, "labels": LABELS / 2}, r"labels is float64 \[40\]; expected a whole number"),
        ({"images": PIXELS, "labels": np.eye(4)[LABELS].astype(int)}, r"labels is int64 \[40, 4\]; expected a whole number"),
        ({"images": PIXELS.astype(np.int64), "labels": LABELS}, "images is int64; expected uint8, or numbers from 0 to 1"),
        ({"images": PIXELS[..., :2], "labels": LABELS}, r"images is \[40, 32, 32, 2\]; expected \[n, height, width\]"),
        ({"images": PIXELS[:, 0, 0], "labels": LABELS}, r"images is \[40, 3\]; expected"),
        ({"images": PIXELS[:0], "labels": LABELS[:0]}, r"images is \[0, 32, 32, 3\]; expected 1 to 50,000,000 images"),
        ({"images": np.uint8(1), "labels": LABELS}, r"images is \[\]; expected \[n, height"),
        ({"images": PIXELS, "labels": LABELS * 0}, "1 different labels; expected 2 to 10,000 classes"),
        ({"images": PIXELS, "labels": LABELS, "classes": ["a", "b"]}, "labels from 0 to 3, but 2 names of classes"),
        ({"images": PIXELS, "labels": LABELS, "classes": ["a"] * 4}, "names that repeat"),
        ({"images": PIXELS, "labels": LABELS, "classes": list("abcde")}, "images of the class 'e': 0 in all, and one is kept"),
        ({"images": PIXELS, "labels": np.arange(40)}, "images of the class '0': 1 in all, and one is kept for test; add some"),
        ({**SPLITS, "y_test": LABELS[32:] + 1}, "images of the class '4': none for training; add some"),
        ({"images": PIXELS, "labels": LABELS, "classes": [1, 2, 3, 4]}, "classes: int64, where texts were expected"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(tmp_path: Path, arrays: dict[str, Any], reason: str) -> None:
    fails(npz(tmp_path / "mine.npz", **arrays), reason)


def test_objects_are_never_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=PIXELS, labels=np.array([{}] * 40, dtype=object))
    fails(path, "Python objects, which are never read")


def member(path: Path, content: bytes, name: str = "images.npy") -> Path:
    with zipfile.ZipFile(npz(path, labels=LABELS), "a") as archive:
        archive.writestr(name, content)
    return path


def header(shape: str, kind: str = "|u1") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    padded = text + b" " * (118 - 10 - len(text) - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


@pytest.mark.parametrize(
    "content",
    [b"", b"text", header("(40, 32, 32)"), header("(10**12, 32)"), header("(1000000000000, 32, 32)"), header("(-1, 32, 32)"),
     header("(40, 32, 32)", "|O"), header("(" * 60), b"\x93NUMPY\x09\x00" + b"x" * 200],
    ids=range(9),
)  # fmt: skip
def test_headers_that_lie_are_one_line(tmp_path: Path, content: bytes) -> None:
    fails(member(tmp_path / "mine.npz", content), r"mine\.npz': cannot be read \(.*\); expected whole arrays")


def test_a_small_file_that_unpacks_to_a_large_one_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_files, "READ", 1 << 20)
    images = np.zeros((30_000, 64, 64), np.uint8)  # 123 MB, and 120 kB packed
    path = npz(tmp_path / "mine.npz", images=images, labels=np.arange(len(images)) % 4)
    assert path.stat().st_size < 1 << 20
    del images
    tracemalloc.start()
    assert load(path).train.pixels.shape == (27_000, 1, 64, 64)
    assert tracemalloc.get_traced_memory()[1] < 40 << 20  # what is hashed at a time, and not 123 MB
    tracemalloc.stop()


def test_data_that_the_disk_has_no_room_for_are_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded, "free_bytes", lambda folder: 50_000)
    fails(npz(tmp_path / "mine.npz", images=PIXELS, labels=LABELS), r"the decoded images take 120 KiB, and 48\.8 KiB are free")


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
@pytest.mark.parametrize("kind", ["empty", "text", "torn", "pipe"])
def test_what_is_no_array_file_is_one_line(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"mine.{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
        fails(path, "no such file; expected an .npz or .safetensors file")
        return
    npz(tmp_path / "whole.npz", **SPLITS)
    save_file(SPLITS, tmp_path / "whole.safetensors")
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    path.write_bytes({"empty": b"", "text": b"text" * 20, "torn": whole[: len(whole) // 2]}[kind])
    fails(path, r"mine\.\w+': cannot be read \(.*\); expected whole arrays in \.npz or \.safetensors")


def test_flipped_bytes_are_one_line(tmp_path: Path) -> None:
    path = npz(tmp_path / "mine.npz", **SPLITS)
    content = bytearray(path.read_bytes())
    content[2000] ^= 255
    path.write_bytes(content)
    fails(path, r"mine\.npz': cannot be read")


def test_a_column_major_array_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=np.asfortranarray(PIXELS), labels=LABELS)
    fails(path, "save numpy.ascontiguousarray")


def test_no_path_is_one_line(tmp_path: Path) -> None:
    assert "needs data.path" in data.availability(Data(source="arrays")).hint
    with pytest.raises(UserError, match="nothing to fetch"):
        data.fetch("arrays")
    with pytest.raises(UserError, match=r"no such file; expected an \.npz or"):
        load(tmp_path)


def test_a_training_takes_them(tmp_path: Path) -> None:
    path = npz(tmp_path / "mine.npz", images=PIXELS[..., 0], labels=LABELS)
    setup = setups.prepare(tiny(data={"source": "arrays", "path": str(path), "validation": 0.2}), 1, data.silent)
    assert (setup.inputs, len(setup.train), len(setup.validation), len(setup.test)) == (Inputs(4, 1, 32), 28, 8, 4)
