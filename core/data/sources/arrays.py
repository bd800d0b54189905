"""Images and labels as arrays in one ``.npz`` or ``.safetensors`` file.

Images ``[n, height, width]``, ``[n, height, width, channels]`` or ``[n, channels, height, width]`` with 1 or 3 channels, uint8
or numbers from 0 to 1; labels ``[n]`` or ``[n, 1]``, whole numbers. The names of the classes, where there are any, are a
``classes`` array of texts (npz) or a JSON list under ``classes`` in the metadata (safetensors).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.data import Availability, Dataset, Progress
from core.errors import UserError
from core.models import Inputs
from core.sections import Data

if TYPE_CHECKING:
    from core.data.labelled_arrays import Labelled

KEYS = (("x_{}", "y_{}"), ("{}_images", "{}_labels"))
"""What the arrays of the splits ``train``, ``val`` and ``test`` may be called."""
WHOLE = (("images", "labels"), ("x", "y"))
"""Or those of all images, of which some are then kept for test."""
EXPECTED = "an .npz or .safetensors file with x_train, y_train, x_test, y_test (or images, labels)"
NAMES = ()
TERMS = ""


def recognises(path: Path) -> bool:
    return path.suffix.lower() in (".npz", ".safetensors") and path.is_file()


def availability(settings: Data) -> Availability:
    try:
        return Availability(True, str(_path(settings)))
    except UserError as error:
        return Availability(False, hint=str(error))


def inputs(settings: Data) -> Inputs:
    found = _read(settings)
    form = found.form(settings)
    return Inputs(len(found.classes), form.channels, form.size)


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError that names the file and the array."""
    from core.data import decoded

    path, found = _path(settings), _read(settings)
    form = found.form(settings)
    place = f"{form.channels}x{form.size} {path.resolve()}"
    return decoded.load("arrays", place, decoded.signature_of([path]), lambda: found.content(settings, form), progress)


def fetch(settings: Data, progress: Progress) -> Path:
    raise UserError("the data source 'arrays' reads your own file; there is nothing to fetch (set data.path to it)")


def _path(settings: Data) -> Path:
    if not settings.path:
        raise UserError(f"data source 'arrays' needs data.path (or --data PATH): {EXPECTED}")
    path = Path(settings.path).expanduser()
    if not recognises(path):
        raise UserError(f"data.path {settings.path!r}: no such file; expected {EXPECTED}")
    return path


def _read(settings: Data) -> Labelled:
    from core.data import array_files, labelled_arrays

    path = _path(settings)
    file = array_files.opened(path)
    splits = {split: _keys(file.arrays.keys(), split) for split in ("train", "val", "test")}
    if splits["train"] is None:
        splits["train"] = next((pair for pair in WHOLE if file.arrays.keys() >= set(pair)), None)
    if splits["train"] is None:
        given = ", ".join(sorted(file.arrays)) or "none"
        raise UserError(f"{str(path)!r}: has the arrays {given}; expected x_train, y_train, x_test, y_test (or images, labels)")
    return labelled_arrays.checked(path, file, {split: pair for split, pair in splits.items() if pair})


def _keys(given: object, split: str) -> tuple[str, str] | None:
    named = ((images.format(split), labels.format(split)) for images, labels in KEYS)
    return next((pair for pair in named if set(pair) <= set(given)), None)  # type: ignore[call-overload]
