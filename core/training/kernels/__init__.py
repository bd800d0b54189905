"""Kernels in C for what torch has no fast operation for, compiled where they run.

They are compiled by the system's C compiler for the processor at hand, in a second or two, and kept in the user's cache folder.
Where there is no compiler, torch's own operations do the same, more slowly.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from core.training.kernels import compiling

TYPES = {torch.float32: (), torch.bfloat16: ("-DBFLOAT16",)}
OPENMP = ("libgomp", "libiomp5", "libomp")
"""Libraries of OpenMP that begin threads by GNU's ``GOMP_parallel``."""
THREADING = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")
NO_THREADS = "torch has no threads of OpenMP here"
ACTIVATED = ("relu", "silu")
"""Activations that norms.h has, in its order behind none."""
MOST_CHANNELS = 4096
"""Of a batch norm."""
BLOCK = 32
"""Numbers that kernels take at a time."""


CALL = ctypes.CFUNCTYPE(None, ctypes.c_int)


class Transform(IntEnum):
    """Of minimal filtering, as kernels.c numbers them."""

    IMAGES = 0
    OUTPUT = 1
    GRADIENT = 2
    IMAGES_BACK = 3


class Pass(IntEnum):
    """Of batch norm, as norms.h numbers them."""

    SUMS = 0
    FORWARD = 1
    SUMS_BACK = 2
    BACK = 3


class _Tiles(ctypes.Structure):
    """``Tiles`` of kernels.c."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("pixels", "tiles", "which", "scratch")),
        *((name, ctypes.c_long) for name in ("plane", "count", "height", "width", "channels", "down", "across")),
    ]


class _Norm(ctypes.Structure):
    """``Norm`` of norms.h."""

    _fields_ = [
        *(
            (name, ctypes.c_void_p)
            for name in ("pixels", "gradient", "plus", "passed", "to", "mean", "scale", "shift", "even", "tilt", "sums")
        ),
        *((name, ctypes.c_long) for name in ("rows", "channels")),
        ("activation", ctypes.c_int),
    ]


class Kernels:
    """A compiled library, for one type of number."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self.name = name
        """Of what was compiled: the same name, the same bits."""
        self._library = library
        library.transform.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Tiles), ctypes.c_int]
        library.add.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_long, ctypes.c_int]
        library.add.restype = None
        library.norm.argtypes = [ctypes.c_int, ctypes.POINTER(_Norm), ctypes.c_int]
        library.norm.restype = None
        library.together.argtypes = [CALL, ctypes.c_int]
        library.together.restype = None

    def transform(
        self, kind: Transform, m: int, pixels: Tensor, tiles: Tensor, sizes: tuple[int, ...], which: Tensor | None
    ) -> None:
        """One of the transforms for output tiles of ``m`` pixels between ``pixels`` [count, height, width, channels] and
        ``tiles`` [(m + 2)^2, rows, channels], both contiguous. ``sizes`` are count, height, width, channels, tiles down and
        across; with ``which`` [count, height / 2, width / 2, channels] (uint8), pixels are the greatest of every 2 x 2."""
        where = None if which is None else which.data_ptr()
        task = _Tiles(pixels.data_ptr(), tiles.data_ptr(), where, None, tiles.shape[1] * tiles.shape[2], *sizes)
        if self._library.transform(kind, m, task, torch.get_num_threads()):
            raise MemoryError("no memory for the sums of tiles that overlap")

    def add(self, sums: Tensor, more: Tensor) -> None:
        """Add ``more``, of this library's type, to ``sums`` (float32), both contiguous. Raises TypeError for other sums."""
        _check_float32(sums)
        self._library.add(sums.data_ptr(), more.data_ptr(), sums.numel(), torch.get_num_threads())

    def norm(self, kind: Pass, activation: str | None, pixels: Tensor, sums: Tensor | None = None, **tensors: Tensor) -> None:
        """One pass of batch norm with its activation over ``pixels`` [..., channels]; ``tensors`` are those of norms.h's
        ``Norm``, all contiguous: images, or a number (float32) for each channel. ``sums`` [2, channels] (float64) are added to.
        Raises TypeError for other numbers for each channel."""
        _check_float32(*(tensor for tensor in tensors.values() if tensor.dim() == 1))
        channels = pixels.shape[-1]
        side_by_side = _side_by_side(pixels.numel() // channels, channels)
        wide = side_by_side * channels
        given = {name: tensor.repeat(side_by_side) if tensor.dim() == 1 else tensor for name, tensor in tensors.items()}
        if sums is not None:
            given["sums"] = torch.zeros(torch.get_num_threads(), 2, wide, dtype=torch.float64)
        number = 0 if activation is None else 1 + ACTIVATED.index(activation)
        where = {name: tensor.data_ptr() for name, tensor in given.items()}
        task = _Norm(pixels=pixels.data_ptr(), rows=pixels.numel() // wide, channels=wide, activation=number, **where)
        self._library.norm(kind, task, torch.get_num_threads())
        if sums is not None:
            sums += given["sums"].view(-1, 2, side_by_side, channels).sum((0, 2))

    def norm_sums(self, kind: Pass, activation: str | None, pixels: Tensor, **tensors: Tensor) -> Tensor:
        """The two sums [2, channels] (float64) of such a pass."""
        sums = torch.zeros(2, pixels.shape[-1], dtype=torch.float64)
        self.norm(kind, activation, pixels, sums, **tensors)
        return sums

    def together(self, work: Callable[[int], None], count: int) -> None:
        """Call ``work`` with 0 to ``count`` - 1, each in a thread of OpenMP's; what torch computes there takes no other."""
        done: list[int] = []
        errors: list[BaseException] = []

        def call(number: int) -> None:
            try:
                with torch.no_grad():
                    work(number)
                done.append(number)
            except BaseException as error:  # it cannot pass through C
                errors.append(error)

        self._library.together(CALL(call), count)
        if errors:
            error = errors[0]
            errors.clear()
            try:
                raise error
            finally:
                del error  # it holds this frame, and all that the frames below it hold, until then
        if len(done) < count:
            raise RuntimeError("a thread of OpenMP's did not finish its work")


def _check_float32(*tensors: Tensor) -> None:
    """C reads them as such whatever they are."""
    for tensor in tensors:
        if tensor.dtype != torch.float32:
            raise TypeError(f"float32 was expected, not {tensor.dtype}")


def _side_by_side(rows: int, channels: int) -> int:
    """How many pixels a batch norm takes as if they were one: as few as fill whole vectors, where channels alone do not."""
    count = 1
    while count * channels % BLOCK and rows % (2 * count) == 0 and 2 * count * channels <= MOST_CHANNELS:
        count *= 2
    return count


def as_pixels(images: Tensor) -> Tensor:
    """[N, C, H, W] as [N, H, W, C], in that order in memory."""
    return images.permute(0, 2, 3, 1).contiguous()


def kernels(dtype: torch.dtype) -> Kernels | None:
    """For numbers of that type; None where they cannot be had, and where torch.compile looks, which cannot see into them."""
    if torch.compiler.is_compiling():
        return None
    found = _found(dtype)
    return found if isinstance(found, Kernels) else None


def lacking(dtype: torch.dtype) -> str:
    """Why they cannot be had; empty where they can."""
    found = _found(dtype)
    return found if isinstance(found, str) else ""


@cache
def _found(dtype: torch.dtype) -> Kernels | str:
    threads = _threads()
    if threads is None or dtype not in TYPES:
        return NO_THREADS if threads is None else f"none for {dtype}"
    try:
        path, digest = compiling.library(TYPES[dtype])
        library = ctypes.CDLL(str(path))
        library.connect(*threads)
        return Kernels(library, digest[:8])
    except (OSError, AttributeError, compiling.Refused) as error:
        return str(error)


def _threads() -> tuple[ctypes.c_void_p, ...] | None:
    """Of the OpenMP library that torch has loaded: what begins threads, numbers them and counts them."""
    with suppress(OSError, AttributeError):
        lines = Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()
        paths = {path for line in lines if Path(path := line.split(maxsplit=5)[-1]).name.startswith(OPENMP)}
        own = str(Path(torch.__file__).resolve().parent)  # as maps has it
        for path in sorted(paths, key=lambda path: (not path.startswith(own), path)):
            library = ctypes.CDLL(path)
            return tuple(ctypes.cast(getattr(library, name), ctypes.c_void_p) for name in THREADING)
    return None
