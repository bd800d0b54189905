"""CIFAR-10 as its authors publish it: two forms of the same six batches, each as a folder or as an archive.

Nothing is decoded before it matched its published checksum.
"""

from __future__ import annotations

import hashlib
import io
import pickle  # of the official Python forms alone, see unpickled  # nosec B403
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from core.data import Images
from core.data.cifar_classes import CLASSES as CLASSES
from core.data.download import file_md5
from core.errors import UserError

MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)
SHAPE = (3, 32, 32)
_LARGEST = 32 << 20
"""Bytes; no batch of either form is larger."""


class Form(NamedTuple):
    """One published form; ``checksums`` has the batches in order, the test batch last."""

    folder: str
    archive: str
    archive_md5: str
    algorithm: str
    checksums: dict[str, str]
    decode: Callable[[bytes], Images]


class Location(NamedTuple):
    """Where a form was found; an archive's form is known only by its checksum."""

    path: Path
    form: Form | None

    @property
    def files(self) -> list[Path]:
        return [self.path / name for name in self.form.checksums] if self.form else [self.path]


def find(path: Path) -> Location | None:
    """A form at ``path``: one of the archives, one of the folders, or a folder that holds one of these."""
    if path.is_file():
        return Location(path, None) if path.name.endswith((".tar.gz", ".tgz")) else None
    for form in FORMS:
        for folder in (path, path / form.folder):
            if any((folder / name).is_file() for name in form.checksums):
                return Location(folder, form)
        if (path / form.archive).is_file():
            return Location(path / form.archive, None)
    return None


def read(location: Location, tick: Callable[[int], None]) -> list[Images]:
    """The six batches, pixels uint8 [10000, 3, 32, 32], the test batch last; ``tick`` gets how many are read.

    Raises UserError for a missing file and for any that does not match its checksum.
    """
    form, files = _archive(location.path) if location.form is None else (location.form, _folder(location.path, location.form))
    batches = {}
    for name, data in files:
        if hashlib.new(form.algorithm, data, usedforsecurity=False).hexdigest() != form.checksums[name]:
            raise UserError(f"{location.path}: {name} does not match its published checksum; {_ADVICE}")
        batches[name] = form.decode(data)
        tick(len(batches))
    missing = [name for name in form.checksums if name not in batches]
    if missing:
        raise UserError(f"{location.path}: {', '.join(missing)} missing; {_ADVICE}")
    return [batches[name] for name in form.checksums]


def _folder(folder: Path, form: Form) -> Iterator[tuple[str, bytes]]:
    for name in form.checksums:
        if (folder / name).is_file():
            with (folder / name).open("rb") as file:
                yield name, file.read(_LARGEST)


def _archive(path: Path) -> tuple[Form, Iterator[tuple[str, bytes]]]:
    md5 = file_md5(path)
    for form in FORMS:
        if form.archive_md5 == md5:
            return form, _members(path, form)
    raise UserError(f"{path}: damaged or not a CIFAR-10 archive (its MD5 {md5} is not a published one); {_ADVICE}")


def _members(path: Path, form: Form) -> Iterator[tuple[str, bytes]]:
    """The batches in an archive, straight into memory: nothing is unpacked to disk, other names are passed over."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                file = archive.extractfile(member) if name in form.checksums and member.isreg() else None
                if file and member.size <= _LARGEST:
                    yield name, file.read()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged ({error}); {_ADVICE}") from error


def decode_binary(data: bytes) -> Images:
    """Records of a label byte and 3072 pixel bytes (red, green, blue, each row by row)."""
    records = np.frombuffer(data, np.uint8).reshape(-1, 1 + 3072)
    return Images(records[:, 1:].reshape(-1, *SHAPE), records[:, 0].astype(np.int64))


def decode_python(data: bytes) -> Images:
    """A pickled dict with ``data`` uint8 [n, 3072] and ``labels``."""
    batch = unpickled(data)
    return Images(batch[b"data"].reshape(-1, *SHAPE), np.array(batch[b"labels"], np.int64))


def unpickled(data: bytes) -> dict[bytes, Any]:
    """An official batch of CIFAR: the only pickles that this project reads, and only after their checksums matched. Raises
    UserError when it names anything else than numpy's arrays."""
    try:
        batch: dict[bytes, Any] = _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise UserError(f"CIFAR batch refused: {error}; {_ADVICE}") from error
    return batch


class _ArrayUnpickler(pickle.Unpickler):
    """Admits what an array is rebuilt from, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        rebuild = np.empty(0, np.uint8).__reduce__()[0]
        admitted = {
            ("numpy.core.multiarray", "_reconstruct"): rebuild,
            ("numpy._core.multiarray", "_reconstruct"): rebuild,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in admitted:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, expected arrays alone")
        return admitted[module, name]


_ADVICE = "remove or replace it, or unset TUI_TRAINER_DATA"

BINARY = Form(
    folder="cifar-10-batches-bin",
    archive="cifar-10-binary.tar.gz",
    archive_md5="c32a1d4ab5d03f1284b67883e8d87530",
    algorithm="sha256",
    checksums={
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
    decode=decode_binary,
)

PYTHON = Form(
    folder="cifar-10-batches-py",
    archive="cifar-10-python.tar.gz",
    archive_md5="c58f30108f718f92721af3b95e74349a",
    algorithm="md5",
    checksums={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    decode=decode_python,
)

FORMS = (BINARY, PYTHON)
