"""One image file as pixels of a fixed size. The files are a user's own: anything may be in them."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import UserError
from core.files import open_plain, read_named

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
LARGEST_PIPED = 1 << 28
"""Bytes of an image that comes through a pipe."""
_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")


def read_image(path: Path, size: int, *, named: bool = False) -> npt.NDArray[np.uint8]:
    """RGB uint8 [3, size, size]: the centre square, resampled bicubic with antialiasing, turned upright as EXIF says.

    An image that has this size already keeps its pixels. Raises UserError, naming the file, when it is absent or damaged, of
    another format than PNG, JPEG, BMP or WebP, deeper than 8 bits a channel, or above Pillow's limit against
    decompression bombs: 89 megapixels, which take up to 720 MB while they are decoded. One that a person has ``named`` may
    also be a pipe.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with _opened(path, named) as file, Image.open(file, formats=_FORMATS) as image:
                square = _square(_eight_bits(image, path), size)
    except UserError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise UserError(f"{str(path)!r}: larger than {limit:.0f} megapixels; make it smaller or remove it") from None
    except Exception as error:  # decoders raise anything from SyntaxError to struct.error on damaged bytes
        raise UserError(f"{str(path)!r}: {_reason(error)}") from None
    return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))


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


def _eight_bits(image: Image.Image, path: Path) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        raise UserError(f"{str(path)!r}: has more than 8 bits a channel (mode {image.mode}); convert it to 8 bits")
    ImageOps.exif_transpose(image, in_place=True)  # a copy of a large image is much memory
    return image if image.mode == "RGB" else image.convert("RGB")


def _square(image: Image.Image, size: int) -> Image.Image:
    # Cut first, then resample: the other way round a very long image would grow without bound.
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box)
