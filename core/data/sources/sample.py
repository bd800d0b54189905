"""3,500 real CIFAR-10 images that come with the package: enough to try everything, too few for good accuracy."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from core.data import Availability, Dataset, Images, Progress
from core.data.cifar_classes import CLASSES
from core.data.cifar_classes import TERMS as TERMS
from core.errors import UserError
from core.models import Inputs
from core.sections import Data

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

EXPECTED = ""
NAMES = ()
COLUMNS = 25
"""Images side by side in a sheet; a class fills whole rows of images, classes in order."""
_SHA256 = {
    "train.webp": "1d4fb9a81ca8844cc698d232ab7b1892ace536ccb592f744de1d6f4e60c08c81",
    "test.webp": "0680d17a43035aa7d55799e139809665c9f45e75a3af4867a64a2212b323d586",
}


def recognises(path: Path) -> bool:
    return False


def availability(settings: Data) -> Availability:
    _refuse_path(settings)
    return Availability(True, "comes with the package")


def inputs(settings: Data) -> Inputs:
    return Inputs(len(CLASSES))


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError for a ``settings.path``, and when the package's own files are damaged."""
    _refuse_path(settings)
    from core.data import cifar
    from core.data.decoded import fingerprint_of

    train, test = _split("train.webp"), _split("test.webp")
    dataset = Dataset("sample", cifar.CLASSES, train, test, cifar.MEAN, cifar.STD, "")
    return replace(dataset, fingerprint=fingerprint_of(dataset))


def fetch(settings: Data, progress: Progress) -> Path:
    raise UserError("the data source 'sample' comes with the package; there is nothing to fetch")


def _refuse_path(settings: Data) -> None:
    if settings.path:
        raise UserError(
            f"data.path {settings.path!r}: the data source 'sample' takes no path; leave it out, or choose source 'folder'"
        )


def _split(name: str) -> Images:
    import numpy as np

    pixels = _pixels(name)
    return Images(pixels, np.repeat(np.arange(10, dtype=np.int64), len(pixels) // 10))


def _pixels(name: str) -> npt.NDArray[np.uint8]:
    """uint8 [n, 3, 32, 32] from a sheet of 32 by 32 tiles, read row by row."""
    import numpy as np
    from PIL import Image

    data = (resources.files("core") / "data" / "sample" / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        raise UserError(f"core/data/sample/{name} is damaged; install tui-trainer anew")
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
        sheet = np.asarray(image.convert("RGB"))
    tiles = sheet.reshape(-1, 32, COLUMNS, 32, 3).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(tiles.reshape(-1, 3, 32, 32))
