"""One image file as pixels of a fixed size. The files are a user's own: anything may be in them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import UserError
from core.files import open_plain, read_named

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
LARGEST_PIPED = 1 << 28
"""Bytes of an image that comes through a pipe."""
GREY = {"1", "L", "LA", "La"}
"""Pillow's modes of images that are stored without colours."""
MODES = {1: "L", 3: "RGB"}
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")


class Form(NamedTuple):
    """What images are brought to: ``channels`` is 1 or 3. One that has colours is refused where ``only_grey``."""

    size: int
    channels: int = 3
    only_grey: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.size, self.size


class Look(NamedTuple):
    """What a file's header says of the image; ``side`` is the shorter one (pixels)."""

    side: int
    grey: bool


def read_image(path: Path, form: Form, *, named: bool = False) -> npt.NDArray[np.uint8]:
    """uint8 [channels, size, size]: the centre square, resampled bicubic with antialiasing, turned upright as EXIF says.

    An image that has this size already keeps its pixels. Raises UserError, naming the file, when it is absent or damaged, of
    another format than PNG, JPEG, BMP or WebP, deeper than 8 bits a channel, or above Pillow's limit against
    decompression bombs: 89 megapixels, which take up to 720 MB while they are decoded. One that a person has ``named`` may
    also be a pipe.
    """
    where = repr(str(path))
    with in_one_line(where), _opened(path, named) as file:
        return decoded(file, where, form)


def look(path: Path) -> Look:
    """Without decoding it. Raises UserError as :func:`read_image`."""
    where = repr(str(path))
    with in_one_line(where), open_plain(path, follow=True) as file:
        return look_at(file, where)


def look_at(file: BinaryIO, where: str) -> Look:
    """As :func:`look`, at an open file; ``where`` says in errors which one it is."""
    with in_one_line(where), Image.open(file, formats=_FORMATS) as image:
        return Look(min(image.size), image.mode in GREY)


def below(folder: Path) -> Iterator[Path | OSError]:
    """The image files in a folder and in those below it, in order of name, links to folders apart; hidden ones are left out.
    One folder is listed at a time; in the place of one that cannot be listed is why, and the rest goes on."""
    try:
        entries = [(entry, entry.is_dir()) for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    except OSError as error:
        yield error
        return
    for entry, is_folder in entries:
        if is_folder:
            yield from () if entry.is_symlink() else below(entry)
        elif entry.suffix.lower() in SUFFIXES:
            yield entry


def decoded(file: BinaryIO, where: str, form: Form) -> npt.NDArray[np.uint8]:
    """As :func:`read_image`, from an open file; ``where`` says in errors which one it is."""
    with in_one_line(where), Image.open(file, formats=_FORMATS) as image:
        if image.mode.startswith(("I", "F")):
            raise UserError(f"{where}: has more than 8 bits a channel (mode {image.mode}); convert it to 8 bits")
        if form.only_grey and image.mode not in GREY:
            advice = 'set data.color_mode to "rgb", or to "grayscale" to take no colours from any'
            raise UserError(f"{where}: has colours, while the images looked at before are grey; {advice}")
        ImageOps.exif_transpose(image, in_place=True)  # a copy of a large image is much memory
        return brought_to(image, form)


def brought_to(image: Image.Image, form: Form) -> npt.NDArray[np.uint8]:
    """The centre square of an image of Pillow's as uint8 [channels, size, size]."""
    mode = MODES[form.channels]
    square = _square(image if image.mode == mode else image.convert(mode), form.size)
    pixels = np.asarray(square)
    return np.ascontiguousarray(pixels[None] if form.channels == 1 else pixels.transpose(2, 0, 1))


@contextmanager
def in_one_line(where: str) -> Iterator[None]:
    """What a decoder raises, of damaged bytes or of too large an image, becomes a UserError that says ``where`` it was."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UserError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise UserError(f"{where}: larger than {limit:.0f} megapixels; make it smaller or remove it") from None
    except Exception as error:  # decoders raise anything from SyntaxError to struct.error on damaged bytes
        raise UserError(f"{where}: {_reason(error)}") from None


def _opened(path: Path, named: bool) -> BinaryIO:
    piped = named and path.exists() and not path.is_file()
    return io.BytesIO(read_named(path, LARGEST_PIPED)) if piped else open_plain(path, follow=True)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError) and error.errno is not None:  # Pillow's own have no number
        return f"cannot be read ({error.strerror}); check the file and its permissions"
    reason = "not a PNG, JPEG, BMP or WebP image" if isinstance(error, UnidentifiedImageError) else str(error)
    return f"cannot be decoded ({reason}); replace the file or remove it"


def _square(image: Image.Image, size: int) -> Image.Image:
    # Cut first, then resample: the other way round a very long image would grow without bound.
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box)
