"""CIFAR-10's official forms in miniature, with the table of checksums to match, and batches as Python 2 pickled them."""

from __future__ import annotations

import hashlib
import io
import itertools
import pickle
import pickletools
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.data import Images, cifar

COUNT = 20
"""Images in each miniature batch."""


def batch(number: int) -> Images:
    generator = np.random.RandomState(number)
    pixels = generator.randint(0, 256, (COUNT, *cifar.SHAPE)).astype(np.uint8)
    return Images(pixels, np.arange(COUNT, dtype=np.int64) % 10)


def binary_files() -> dict[str, bytes]:
    return {name: _binary(batch(number)) for number, name in enumerate(cifar.BINARY.checksums)}


def python_files() -> dict[str, bytes]:
    return {name: _python(batch(number)) for number, name in enumerate(cifar.PYTHON.checksums)}


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def archive(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in {"readme.html": b"<p>", **files}.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def publish(
    monkeypatch: pytest.MonkeyPatch, binary: dict[str, bytes], python: dict[str, bytes], archives: tuple[bytes, bytes]
) -> None:
    """Make these files the ones whose checksums are published."""
    forms = []
    for form, files, data in zip((cifar.BINARY, cifar.PYTHON), (binary, python), archives, strict=True):
        sums = {name: hashlib.new(form.algorithm, content).hexdigest() for name, content in files.items()}
        forms.append(form._replace(checksums=sums, archive_md5=hashlib.md5(data).hexdigest()))
    monkeypatch.setattr(cifar, "BINARY", forms[0])
    monkeypatch.setattr(cifar, "PYTHON", forms[1])
    monkeypatch.setattr(cifar, "FORMS", tuple(forms))


def python2_pickle(value: object) -> bytes:
    """A pickle of protocol 2 as Python 2 writes it: byte strings by its own opcodes, numpy under its old name."""
    data = pickle.dumps(value, protocol=3)
    starts = [position for _, _, position in pickletools.genops(data) if position is not None]
    return b"".join(map(_python2_opcode, _slices(data, [*starts, len(data)])))


def _slices(data: bytes, starts: list[int]) -> Iterator[bytes]:
    for start, end in itertools.pairwise(starts):
        yield data[start:end]


def _python2_opcode(opcode: bytes) -> bytes:
    if opcode[:1] == pickle.PROTO:
        return pickle.PROTO + b"\x02"
    if opcode[:1] == pickle.GLOBAL:
        return opcode.replace(b"numpy._core", b"numpy.core")
    renamed = {pickle.BINBYTES: pickle.BINSTRING, pickle.SHORT_BINBYTES: pickle.SHORT_BINSTRING}
    if opcode[:1] == pickle.BINUNICODE:  # dtype names: Python 2 wrote them as byte strings too
        return pickle.BINSTRING + opcode[1:]
    return renamed.get(opcode[:1], opcode[:1]) + opcode[1:]


def _binary(images: Images) -> bytes:
    flat = images.pixels.reshape(COUNT, -1)
    return np.concatenate([images.labels[:, None].astype(np.uint8), flat], axis=1).tobytes()


def _python(images: Images) -> bytes:
    content = {
        b"batch_label": b"training batch 1 of 5",
        b"labels": images.labels.tolist(),
        b"data": images.pixels.reshape(COUNT, -1),
        b"filenames": [b"leptodactylus_pentadactylus_s_000004.png"] * COUNT,
    }
    return python2_pickle(content)
