"""CIFAR-10 whole: 50,000 training and 10,000 test images, looked for in the usual places, else fetched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.cache import cache_folder
from core.data import Availability, Dataset, Images, Progress
from core.data.cifar_classes import CLASSES
from core.data.cifar_classes import TERMS as TERMS
from core.data.exclusive import exclusive, writable
from core.errors import UserError
from core.models import Inputs
from core.sections import Data

if TYPE_CHECKING:
    from core.data.cifar import Location
    from core.data.decoded import Content

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
EXPECTED = "CIFAR-10 in an official form (cifar-10-batches-bin, cifar-10-batches-py, their .tar.gz, or a folder with one)"
NAMES = ()
_ADVICE = "set TUI_TRAINER_CIFAR10_URL to a mirror, or TUI_TRAINER_DATA to a folder that has the data"


def recognises(path: Path) -> bool:
    from core.data import cifar

    return cifar.find(path) is not None


def availability(settings: Data) -> Availability:
    from core.data import cifar

    for place in _places(settings):
        if location := cifar.find(place):
            return Availability(True, str(location.path))
    if settings.path:
        return Availability(False, hint=f"data.path {settings.path!r}: expected {EXPECTED}")
    return Availability(
        False, hint="fetched when training starts (170 MB), or now with: tui-trainer data get cifar10", fetchable=True
    )


def inputs(settings: Data) -> Inputs:
    return Inputs(len(CLASSES))


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError when ``settings.path`` has no CIFAR-10, when a checksum does not match, and when fetching fails."""
    from core.data import cifar, decoded

    location = next(filter(None, map(cifar.find, _places(settings))), None)
    if location is None and settings.path:
        raise UserError(f"data.path {settings.path!r}: no CIFAR-10 there; expected {EXPECTED}")
    location = location or cifar.Location(fetch(settings, progress), None)
    files = [file for file in location.files if file.exists()]
    place = str(location.path.resolve())
    return decoded.load("cifar10", place, decoded.signature_of(files), lambda: _content(location, progress), progress)


def fetch(settings: Data, progress: Progress) -> Path:
    """The official binary archive in the cache, fetched from ``TUI_TRAINER_CIFAR10_URL`` or the authors' site."""
    from core.data.cifar import BINARY
    from core.data.download import download, file_md5

    target = _downloads() / BINARY.archive
    with exclusive(target, lambda: progress("download", 0, 0, "bytes")):
        if not target.exists() or file_md5(target) != BINARY.archive_md5:
            url = os.environ.get("TUI_TRAINER_CIFAR10_URL") or URL
            with writable(target):
                download(url, target, BINARY.archive_md5, _ADVICE, progress)
    return target


def _downloads() -> Path:
    return cache_folder() / "data"


def _places(settings: Data) -> Iterator[Path]:
    """Where to look, in order; a path that was given is the only place."""
    if settings.path:
        yield Path(settings.path).expanduser()
        return
    if folder := os.environ.get("TUI_TRAINER_DATA"):
        yield Path(folder).expanduser()
    yield _downloads()


def _content(location: Location, progress: Progress) -> Content:
    import numpy as np

    from core.data import cifar
    from core.data.decoded import Content, Part

    batches = cifar.read(location, lambda done: progress("prepare", done, len(cifar.BINARY.checksums), "files"))
    train, test = batches[:-1], batches[-1:]

    def part(batches: list[Images]) -> Part:
        return Part(np.concatenate([batch.labels for batch in batches]), cifar.SHAPE, (batch.pixels for batch in batches))

    return Content(cifar.CLASSES, part(train), part(test), cifar.MEAN, cifar.STD)
