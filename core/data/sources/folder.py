"""A user's own images, of any size: ``train/CLASS/*.png`` and ``test/CLASS/*.png`` below ``data.path``, perhaps also
``val/CLASS/*.png``, or ``CLASS/*.png`` alone, of which every tenth is then kept for test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from core.data import Availability, Dataset, Progress
from core.errors import UserError
from core.models import Inputs
from core.sections import Data
from core.view.words import count

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.data.decoded import Content, Part
    from core.data.images import Form, Look

EXPECTED = "a folder with CLASS/*.png, or with train/CLASS/*.png and test/CLASS/*.png (also .jpg, .jpeg, .bmp, .webp)"
NAMES = ()
TERMS = ""
HELD_OUT = ("val", "valid", "validation")
"""What a folder of held-out images may be called."""
LOOKED_AT = 1000
"""Images whose headers are read to find size and colours, evenly from all of them."""
Listing: TypeAlias = dict[str, list[Path]]
"""Classes in order of name, each with its image files in order of name."""


class Splits(NamedTuple):
    train: Listing
    test: Listing | None
    """None where it is to be taken from the images for training."""
    validation: Listing | None = None

    @property
    def given(self) -> list[Listing]:
        return [listing for listing in self if listing is not None]


def recognises(path: Path) -> bool:
    if not path.is_dir():
        return False
    classes = (folder for folder in _folders(path) if next(_named_images(folder), None))
    return (path / "train").is_dir() or len(list(islice(classes, 2))) == 2


def availability(settings: Data) -> Availability:
    try:
        root = _root(settings)
    except UserError as error:
        return Availability(False, hint=str(error))
    return Availability(True, str(root))


def inputs(settings: Data) -> Inputs:
    from core.data import shaping

    splits = _splits(_root(settings))
    form = shaping.form(settings, _looks(splits))
    return Inputs(len(splits.train), form.channels, form.size)


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError, naming the folder or file, for anything but images in classes that all splits have."""
    from core.data import decoded, shaping

    root = _root(settings)
    splits = _splits(root)
    looks = _looks(splits)
    form = shaping.form(settings, looks)
    notes = shaping.notes(settings, looks, form)
    place = f"{'' if form.channels == 3 else 'grey '}{form.size} {root.resolve()}"
    signature = decoded.signature_of(file for listing in splits.given for files in listing.values() for file in files)
    return decoded.load("folder", place, signature, lambda: _content(splits, form, notes), progress)


def fetch(settings: Data, progress: Progress) -> Path:
    raise UserError("the data source 'folder' reads your own images; there is nothing to fetch (set data.path to their folder)")


def _root(settings: Data) -> Path:
    if not settings.path:
        raise UserError(f"data source 'folder' needs data.path (or --data PATH): {EXPECTED}")
    root = Path(settings.path).expanduser()
    if not root.is_dir():
        raise UserError(f"data.path {settings.path!r}: no such folder; expected {EXPECTED}")
    if not (root / "train").is_dir() and any((root / split).is_dir() for split in (*HELD_OUT, "test")):
        raise UserError(f"data.path {settings.path!r}: the folder 'train' is missing; expected {EXPECTED}")
    return root


def _splits(root: Path) -> Splits:
    if not (root / "train").is_dir():
        return _checked(root, Splits(_listing(root), None))
    held_out = next((root / name for name in HELD_OUT if (root / name).is_dir()), None)
    test = _listing(root / "test") if (root / "test").is_dir() else None
    return _checked(root / "train", Splits(_listing(root / "train"), test, _listing(held_out) if held_out else None))


def _checked(train: Path, splits: Splits) -> Splits:
    """Raises UserError unless there are classes, all splits have the same, and each can give an image for test."""
    classes = splits.train.keys()
    if len(classes) < 2:
        raise UserError(f"{str(train)!r}: {count(len(classes), 'class')} found, at least 2 needed; expected {EXPECTED}")
    for name, listing in (("test", splits.test), ("validation", splits.validation)):
        for odd in sorted(classes ^ listing.keys()) if listing is not None else ():
            here, absent = ("train", name) if odd in classes else (name, "train")
            where = f"{str(train.parent)!r}: the class {odd!r} is in '{here}' but not in '{absent}'"
            raise UserError(f"{where}; both need the same classes")
    for name, files in splits.train.items() if splits.test is None else ():
        if len(files) < 2:
            raise UserError(f"{str(train / name)!r}: a single image, and one is kept for test; add some, or a folder 'test'")
    return splits


def _listing(split: Path) -> Listing:
    return {_class_name(folder): _images(folder) for folder in sorted(_folders(split))}


def _folders(path: Path) -> Iterator[Path]:
    return (entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _class_name(folder: Path) -> str:
    try:
        folder.name.encode()
    except UnicodeEncodeError:
        raise UserError(f"{str(folder)!r}: the name is not valid UTF-8; rename the folder") from None
    return folder.name


def _images(folder: Path) -> list[Path]:
    """Only one level deep, so a link that leads back up does no harm."""
    files = sorted(_named_images(folder))
    for file in files:
        if not file.is_file():
            raise UserError(f"{str(file)!r}: not a file that can be read (broken link, folder or pipe); remove it")
    if not files:
        raise UserError(f"{str(folder)!r}: the class has no images; add some (.png .jpg .jpeg .bmp .webp) or remove the folder")
    return files


def _named_images(folder: Path) -> Iterator[Path]:
    suffixes = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
    return (entry for entry in folder.iterdir() if entry.suffix.lower() in suffixes and not entry.name.startswith("."))


def _looks(splits: Splits) -> list[Look]:
    from core.data.images import look

    files = [file for listing in splits.given for files in listing.values() for file in files]
    return [look(file) for file in files[:: -(-len(files) // LOOKED_AT)]]


def _content(splits: Splits, form: Form, notes: tuple[str, ...]) -> Content:
    from core.data import shaping
    from core.data.decoded import Content

    classes = tuple(splits.train)
    held_out = _part(*_all(splits.validation), form) if splits.validation else None
    files, labels = _all(splits.train)
    if splits.test is not None:
        return Content(classes, _part(files, labels, form), _part(*_all(splits.test), form), validation=held_out, notes=notes)
    kept = shaping.kept_for_test(labels)
    train, test = (
        _part([file for file, chosen in zip(files, mask, strict=True) if chosen], labels[mask], form) for mask in (~kept, kept)
    )
    return Content(classes, train, test, validation=held_out, notes=(shaping.SPLIT, *notes))


def _all(listing: Listing) -> tuple[list[Path], npt.NDArray[np.int64]]:
    """The files of all classes, and their labels."""
    import numpy as np

    counts = [len(files) for files in listing.values()]
    labels = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return [file for files in listing.values() for file in files], labels


def _part(files: list[Path], labels: npt.NDArray[np.int64], form: Form) -> Part:
    from core.data.decoded import Part
    from core.data.images import read_image

    return Part(labels, form.shape, (read_image(file, form)[None] for file in files))
