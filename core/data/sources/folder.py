"""A user's own images: ``train/CLASS/*.png`` and ``test/CLASS/*.png`` below ``data.path``, of any size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.data import Availability, Dataset, Progress
from core.errors import UserError
from core.sections import Data
from core.view.words import count

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.data.decoded import Content, Part

EXPECTED = "a folder with train/CLASS/*.png and test/CLASS/*.png (also .jpg, .jpeg, .bmp, .webp)"


def recognises(path: Path) -> bool:
    return (path / "train").is_dir()


def availability(settings: Data) -> Availability:
    try:
        root = _root(settings)
    except UserError as error:
        return Availability(False, hint=str(error))
    return Availability(True, str(root))


def class_count(settings: Data) -> int:
    root = _root(settings)
    train, test = _listing(root / "train"), _listing(root / "test")
    _check_classes(root, train, test)
    return len(train)


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError, naming the folder or file, for anything but images in classes that both splits have."""
    from core.data import decoded

    root = _root(settings)
    train, test = _listing(root / "train"), _listing(root / "test")
    _check_classes(root, train, test)
    files = [file for split in (train, test) for images in split.values() for file in images]

    def build() -> Content:
        return decoded.Content(tuple(train), _part(train, settings.size), _part(test, settings.size))

    place = f"{settings.size} {root.resolve()}"
    return decoded.load("folder", place, decoded.signature_of(files), build, progress)


def fetch(progress: Progress) -> Path:
    raise UserError("the data source 'folder' reads your own images; there is nothing to fetch (set data.path to their folder)")


def _root(settings: Data) -> Path:
    if not settings.path:
        raise UserError(f"data source 'folder' needs data.path (or --data PATH): {EXPECTED}")
    root = Path(settings.path).expanduser()
    for split in ("train", "test"):
        if not (root / split).is_dir():
            raise UserError(f"data.path {settings.path!r}: the folder '{split}' is missing; expected {EXPECTED}")
    return root


def _listing(split: Path) -> dict[str, list[Path]]:
    """Classes in order of name, each with its image files in order of name."""
    folders = sorted(entry for entry in split.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return {_class_name(folder): _images(folder) for folder in folders}


def _class_name(folder: Path) -> str:
    try:
        folder.name.encode()
    except UnicodeEncodeError:
        raise UserError(f"{str(folder)!r}: the name is not valid UTF-8; rename the folder") from None
    return folder.name


def _images(folder: Path) -> list[Path]:
    """Only one level deep, so a link that leads back up does no harm."""
    from core.data.images import SUFFIXES

    named = (entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES and not entry.name.startswith("."))
    files = sorted(named)
    for file in files:
        if not file.is_file():
            raise UserError(f"{str(file)!r}: not a file that can be read (broken link, folder or pipe); remove it")
    if not files:
        raise UserError(f"{str(folder)!r}: the class has no images; add some (.png .jpg .jpeg .bmp .webp) or remove the folder")
    return files


def _check_classes(root: Path, train: dict[str, list[Path]], test: dict[str, list[Path]]) -> None:
    if len(train) < 2:
        raise UserError(f"{str(root / 'train')!r}: {count(len(train), 'class')} found, at least 2 needed; expected {EXPECTED}")
    for name in sorted(train.keys() ^ test.keys()):
        here, absent = ("train", "test") if name in train else ("test", "train")
        raise UserError(f"{str(root)!r}: the class {name!r} is in '{here}' but not in '{absent}'; both need the same classes")


def _part(listing: dict[str, list[Path]], size: int) -> Part:
    import numpy as np

    from core.data.decoded import Part

    counts = [len(files) for files in listing.values()]
    labels = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return Part(labels, (3, size, size), _decode([file for files in listing.values() for file in files], size))


def _decode(files: list[Path], size: int) -> Iterator[npt.NDArray[np.uint8]]:
    from core.data.images import read_image

    return (read_image(file, size)[None] for file in files)
