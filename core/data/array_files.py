"""Arrays in ``.npz`` and ``.safetensors`` files, read some rows at a time: the files are a user's own, and may be larger than
memory, or not what they say."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.errors import UserError
from core.files import open_plain

SUFFIXES = (".npz", ".safetensors")
READ = 16 << 20
"""Bytes that are read at a time, unless one row has more."""
MOST_ARRAYS, LONGEST_HEADER, LARGEST_NAMES = 64, 10_000, 1 << 20
_KINDS = {"U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "I64": "<i8"}
_KINDS |= {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BOOL": "?"}
"""What safetensors calls the types that numpy has."""


class Stored(NamedTuple):
    """An array in a file; ``rows`` reads it from its first row on, some at a time. Raises UserError for damaged bytes."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    rows: Callable[[], Iterator[npt.NDArray[Any]]]

    def whole(self) -> npt.NDArray[Any]:
        return np.concatenate([np.empty((0, *self.shape[1:]), self.dtype), *self.rows()])


class ArrayFile(NamedTuple):
    arrays: dict[str, Stored]
    classes: tuple[str, ...] = ()
    """The names of the classes, where the file has them."""


def opened(path: Path) -> ArrayFile:
    """What is in a file; only its headers are read. Raises UserError, naming the file, for what is no such file."""
    with _in_one_line(path):
        return _npz(path) if path.suffix.lower() == ".npz" else _safetensors(path)


def _npz(path: Path) -> ArrayFile:
    arrays, names = dict[str, Stored](), tuple[str, ...]()
    with open_plain(path, follow=True) as file, zipfile.ZipFile(file) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        if len(members) > MOST_ARRAYS:
            raise UserError(f"{str(path)!r}: {len(members)} arrays; expected at most {MOST_ARRAYS}")
        for member in members:
            key = member.filename.removesuffix(".npy")
            with archive.open(member) as data:
                shape, dtype = _header(data, member.file_size)
                if key == "classes" and member.file_size > LARGEST_NAMES:
                    raise UserError(
                        f"{str(path)!r}: classes: {member.file_size:,} bytes of names; expected at most {LARGEST_NAMES:,}"
                    )
                if key == "classes":
                    names = _names(np.frombuffer(data.read(LARGEST_NAMES), dtype))
                    continue
            arrays[key] = Stored(shape, dtype, _npz_rows(path, member.filename, shape, dtype))
    return ArrayFile(arrays, names)


def _header(data: Any, size: int) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array that ``data`` is at the beginning of; raises ValueError for one that is not wanted."""
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(data)
    if version not in read:
        raise ValueError(f"version {version} of numpy's format")
    shape, fortran, dtype = read[version](data, max_header_size=LONGEST_HEADER)
    if dtype.hasobject:
        raise ValueError("Python objects, which are never read; expected numbers")
    if fortran and len(shape) > 1:
        raise ValueError("stored column by column; save numpy.ascontiguousarray(it)")
    if data.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{size:,} bytes, which is not what its header says")
    return shape, dtype


def _names(array: npt.NDArray[Any]) -> tuple[str, ...]:
    if array.dtype.kind != "U":
        raise ValueError(f"classes: {array.dtype}, where texts were expected")
    return tuple(map(str, array.tolist()))


def _npz_rows(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Callable[[], Iterator[npt.NDArray[Any]]]:
    def rows() -> Iterator[npt.NDArray[Any]]:
        with (
            _in_one_line(path),
            open_plain(path, follow=True) as file,
            zipfile.ZipFile(file) as archive,
            archive.open(name) as data,
        ):
            if _header(data, archive.getinfo(name).file_size) != (shape, dtype):
                raise ValueError(f"{name} has changed meanwhile")
            for start, stop in _parts(shape, dtype):
                yield _exactly(data, (stop - start, *shape[1:]), dtype)

    return rows


def _exactly(data: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    size = math.prod(shape) * dtype.itemsize
    found = data.read(size)
    if len(found) != size:
        raise ValueError("ends too early")
    array: npt.NDArray[Any] = np.frombuffer(found, dtype).reshape(shape)
    return array


def _safetensors(path: Path) -> ArrayFile:
    from safetensors import safe_open

    open_plain(path, follow=True).close()  # the library would wait for a pipe
    with safe_open(path, framework="np") as file:
        metadata = file.metadata() or {}
        names = tuple(msgspec.json.decode(metadata["classes"], type=list[str])) if "classes" in metadata else ()
        arrays = {}
        for key in file.keys():  # noqa: SIM118  it is no dict
            found = file.get_slice(key)
            if found.get_dtype() not in _KINDS:
                raise ValueError(f"{key} is {found.get_dtype()}, which is no type of numpy's")
            shape, dtype = tuple(found.get_shape()), np.dtype(_KINDS[found.get_dtype()])
            arrays[key] = Stored(shape, dtype, _safetensors_rows(path, key, shape, dtype))
    return ArrayFile(arrays, names)


def _safetensors_rows(
    path: Path, key: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Callable[[], Iterator[npt.NDArray[Any]]]:
    def rows() -> Iterator[npt.NDArray[Any]]:
        from safetensors import safe_open

        with _in_one_line(path), safe_open(path, framework="np") as file:
            found = file.get_slice(key)
            for start, stop in _parts(shape, dtype):
                yield found[start:stop]

    return rows


def _parts(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[tuple[int, int]]:
    count = max(1, READ // max(1, math.prod(shape[1:]) * dtype.itemsize))
    return ((start, min(start + count, shape[0])) for start in range(0, shape[0], count))


@contextmanager
def _in_one_line(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # zipfile, zlib, numpy and safetensors have each their own for damaged bytes
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"{str(path)!r}: cannot be read ({reason}); expected whole arrays in {' or '.join(SUFFIXES)}") from None
