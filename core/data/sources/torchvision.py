"""The classification sets that torchvision has, through its own download: ``torchvision:mnist``.

``data.path`` is the folder that torchvision calls ``root``, where they are there already.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cache import cache_folder
from core.data import Availability, Dataset, Progress, name_of
from core.data.exclusive import exclusive, writable
from core.data.torchvision_sets import SETS
from core.errors import UserError
from core.files import make_folder
from core.models import Inputs
from core.sections import Data

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.data.decoded import Content, Part
    from core.data.images import Form

EXPECTED = ""
NAMES = tuple(SETS)
TERMS = "torchvision fetches it from its authors, whose terms hold; it passes none on."
FETCH = (sys.executable, "-P", "-m", "core.data.torchvision_sets")
LABELS = ("targets", "labels", "_labels")
"""What torchvision's data sets call the labels of their images; or they have ``samples``, pairs of a path and a label."""

FILES = ("samples", "_samples", "_image_files")
"""What they call the list of their images' files, alone or each with its label, where they have one."""


def recognises(path: Path) -> bool:
    return False


def availability(settings: Data) -> Availability:
    name = name_of(settings)
    root = Path(settings.path).expanduser() if settings.path else _place(name)
    if root.is_dir():
        return Availability(True, str(root))
    if settings.path:
        return Availability(False, hint=f"data.path {settings.path!r}: no such folder; expected what torchvision calls root")
    hint = f"fetched by torchvision when training starts, or now with: tui-trainer data get {settings.source}"
    return Availability(False, hint=hint, fetchable=True)


def inputs(settings: Data) -> Inputs:
    form = _form(settings)
    return Inputs(SETS[name_of(settings)].inputs.classes, form.channels, form.size)


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError when the set cannot be fetched, and when what is there is not what torchvision expects."""
    from core.data import decoded

    root, form = Path(settings.path).expanduser() if settings.path else fetch(settings, progress), _form(settings)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    place = f"{form.channels}x{form.size} {root.resolve()}"
    signature = decoded.signature_of(files)
    return decoded.load(settings.source, place, signature, lambda: _content(settings, root, form), progress)


def fetch(settings: Data, progress: Progress) -> Path:
    """The folder in the cache with all of the set's splits; it is there only when they are whole."""
    name = name_of(settings)
    target = _place(name)
    with exclusive(target, lambda: progress("download", 0, 0, "bytes")):
        if not target.is_dir():
            part = target.with_name(f".{name}.part")
            shutil.rmtree(part, ignore_errors=True)  # it may have been cut off within an archive that was being unpacked
            with writable(part):
                make_folder(part)
            try:
                _fetch(name, part, progress)
                part.rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return target


def _place(name: str) -> Path:
    return cache_folder() / "data" / "torchvision" / name


def _form(settings: Data) -> Form:
    from core.data import shaping
    from core.data.images import Look

    known = SETS[name_of(settings)].inputs
    return shaping.form(settings, [Look(known.size, known.channels == 1)])


def _fetch(name: str, folder: Path, progress: Progress) -> None:
    if name == "cifar100":
        from core.data import cifar100

        cifar100.fetch(folder, progress)
        return
    from core.data import fetching

    if why := fetching.fetch([*FETCH, name, str(folder)], folder, progress):
        raise UserError(f"torchvision:{name}: cannot be fetched ({why}); check the connection, or set data.path to its folder")


def _content(settings: Data, root: Path, form: Form) -> Content:
    from core.data import shaping
    from core.data.decoded import Content

    name, found = name_of(settings), _splits(name_of(settings), root)
    classes, labels = _classes(found), {split: _labels(name, dataset) for split, dataset in found.items()}
    for split, values in labels.items():
        if not len(values) or values.min() < 0 or values.max() >= len(classes):
            raise UserError(f"torchvision:{name}: {str(root)!r}: labels of '{split}' are not those of {len(classes)} classes")
    parts = {split: _part(dataset, labels[split], form) for split, dataset in found.items()}
    if "test" in parts:
        return Content(classes, parts["train"], parts["test"], validation=parts.get("validation"))
    kept = shaping.kept_for_test(labels["train"])
    train, test = (_part(found["train"], labels["train"], form, mask) for mask in (~kept, kept))
    return Content(classes, train, test, notes=(shaping.SPLIT,))


def _splits(name: str, root: Path) -> dict[str, Any]:
    from core.data import cifar100, torchvision_sets

    try:
        return cifar100.splits(root) if name == "cifar100" else torchvision_sets.splits(name, root)
    except ImportError as error:
        raise UserError(f"torchvision:{name}: torchvision reads it with {error.name}; pip install {error.name}") from None
    except UserError:
        raise
    except Exception as error:  # torchvision's own are of any kind for files that are absent or damaged
        raise UserError(f"torchvision:{name}: {str(root)!r}: cannot be read ({error}); remove it, or set data.path") from None


def _classes(found: dict[str, Any]) -> tuple[str, ...]:
    """As torchvision calls them, the first of several names; else their numbers."""
    named = getattr(found["train"], "classes", None)
    if named:
        return tuple(name if isinstance(name, str) else str(name[0]) for name in named)
    return tuple(str(number) for number in range(max(int(_labels("", dataset).max()) + 1 for dataset in found.values())))


def _labels(name: str, dataset: Any) -> npt.NDArray[np.int64]:
    import numpy as np

    given = next((getattr(dataset, key) for key in LABELS if getattr(dataset, key, None) is not None), None)
    if given is None:
        given = [label for _, label in getattr(dataset, "samples", None) or dataset._samples]
    labels = np.asarray(given).astype(np.int64)
    return labels if labels.ndim == 1 else labels[:, 0]  # QMNIST has more to tell of each image


def _part(dataset: Any, labels: npt.NDArray[np.int64], form: Form, kept: npt.NDArray[np.bool_] | None = None) -> Part:
    import numpy as np

    from core.data.decoded import Part
    from core.data.images import brought_to, in_one_line

    places = np.arange(len(labels)) if kept is None else np.flatnonzero(kept)

    def pixels() -> Iterator[npt.NDArray[np.uint8]]:
        for place in places.tolist():
            with in_one_line(_where(dataset, place)):
                image = brought_to(dataset[place][0], form)[None]
            yield image

    return Part(labels[places], form.shape, pixels())


def _where(dataset: Any, place: int) -> str:
    """The image's file, where torchvision keeps a list of them."""
    files = next((found for key in FILES if (found := getattr(dataset, key, None)) is not None), None)
    if files is None:
        return f"image {place} of {type(dataset).__name__}"
    return repr(str(files[place] if isinstance(files[place], (str, Path)) else files[place][0]))
