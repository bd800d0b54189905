"""CIFAR-100 from its official archive: torchvision knows where it lies and its checksums, but would unpickle it unguarded."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data import Progress
from core.data.cifar import SHAPE, unpickled
from core.data.download import download, file_md5
from core.errors import UserError

_LARGEST = 256 << 20
"""Bytes of a file in it, at the most."""
_ADVICE = "remove it, and it is fetched again"


def fetch(folder: Path, progress: Progress) -> None:
    """The archive, into a folder that exists. Raises UserError."""
    kind = _kind()
    target = folder / kind.filename
    if not target.exists():
        download(kind.url, target, kind.tgz_md5, "check the connection, or put it there yourself", progress)


class Batch(NamedTuple):
    """A split as torchvision's classes have it."""

    classes: tuple[str, ...]
    targets: list[int]
    pixels: npt.NDArray[np.uint8]

    def __getitem__(self, place: Any) -> Any:
        return Image.fromarray(self.pixels[place].reshape(SHAPE).transpose(1, 2, 0)), self.targets[place]


def splits(folder: Path) -> dict[str, Batch]:
    """Training and test images. Raises UserError unless every file matches its published checksum."""
    kind, path = _kind(), folder / _kind().filename
    if not path.is_file():
        raise UserError(f"{str(folder)!r}: no {path.name} there")
    if file_md5(path) != kind.tgz_md5:
        raise UserError(f"{str(path)!r}: does not match its published checksum; {_ADVICE}")
    (train, train_md5), (test, test_md5) = kind.train_list[0], kind.test_list[0]
    meta = kind.meta
    found = _members(path, {train: train_md5, test: test_md5, meta["filename"]: meta["md5"]})
    names = tuple(name.decode() for name in found[meta["filename"]][meta["key"].encode()])
    return {
        split: Batch(names, found[file][b"fine_labels"], found[file][b"data"])
        for split, file in (("train", train), ("test", test))
    }


def _kind() -> Any:
    from torchvision.datasets import CIFAR100

    return CIFAR100


def _members(path: Path, checksums: dict[str, str]) -> dict[str, Any]:
    found = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                file = archive.extractfile(member) if name in checksums and member.isreg() else None
                if file and member.size <= _LARGEST:
                    found[name] = _checked(path, name, file.read(), checksums[name])
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"{str(path)!r}: damaged ({error}); {_ADVICE}") from error
    if missing := sorted(checksums.keys() - found.keys()):
        raise UserError(f"{str(path)!r}: {', '.join(missing)} missing; {_ADVICE}")
    return found


def _checked(path: Path, name: str, data: bytes, md5: str) -> Any:
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
        raise UserError(f"{str(path)!r}: {name} does not match its published checksum; {_ADVICE}")
    return unpickled(data)
