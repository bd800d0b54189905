"""Data sets of the Hugging Face hub, or of a path that its library reads: ``hf:NAME``, by ``pip install 'tui-trainer[hf]'``.

``hf:NAME:CONFIGURATION@REVISION`` says which of several, and which state of it.
The library keeps what it fetches in its own cache. The first column of images is taken, and the first of classes, or else the
column ``label`` or ``labels``.
"""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.data import Availability, Dataset, Progress, name_of
from core.errors import UserError
from core.files import read_plain
from core.models import Inputs
from core.sections import Data

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.data.decoded import Content, Part
    from core.data.images import Form

EXPECTED = ""
NAMES = None
TERMS = "Its terms stand on its page of the Hugging Face hub."
HELD_OUT = ("validation", "valid", "val", "dev")
LABELS = ("label", "labels")
LOOKED_AT = 1000
"""Images that are looked at to find size and colours, evenly from all for training."""
FETCH = (sys.executable, "-P", "-m", "core.data.hub")
MISSING = "needs the library 'datasets': pip install 'tui-trainer[hf]'"


class Columns(NamedTuple):
    image: str
    label: str
    classes: tuple[str, ...]
    """Empty where the data do not name them."""


def recognises(path: Path) -> bool:
    return False


def availability(settings: Data) -> Availability:
    _refuse_path(settings)
    if importlib.util.find_spec("datasets") is None:
        return Availability(False, hint=f"{settings.source}: {MISSING}")
    if Path(name_of(settings)).is_dir():
        return Availability(True, name_of(settings))
    return Availability(False, hint="fetched from the Hugging Face hub when training starts", fetchable=True)


def inputs(settings: Data) -> Inputs | None:
    _refuse_path(settings)
    return None


def load(settings: Data, progress: Progress) -> Dataset:
    """Raises UserError when the set cannot be had, and when its columns are not images and classes."""
    from core.data import decoded, shaping

    found = _splits(settings, progress)
    train, columns = found["train"], _columns(settings.source, found["train"])
    looks = _looks(train, columns)
    form = shaping.form(settings, looks)
    notes = shaping.notes(settings, looks, form)
    signature = decoded.signature_of(Path(file["filename"]) for split in found.values() for file in split.cache_files)

    def build() -> Content:
        return _content(settings.source, found, columns, form, notes)

    return decoded.load(settings.source, f"{form.channels}x{form.size}", signature, build, progress)


def fetch(settings: Data, progress: Progress) -> Path:
    """The folder of the library's own cache."""
    files = next(iter(_splits(settings, progress).values())).cache_files
    return Path(files[0]["filename"]).parent if files else Path()


def _refuse_path(settings: Data) -> None:
    if settings.path:
        raise UserError(f"data.path {settings.path!r}: the data source 'hf' takes no path; write it after the colon, hf:PATH")


def _parts(settings: Data) -> tuple[str, str, str]:
    """Name, configuration and revision of ``NAME:CONFIGURATION@REVISION``; an existing path is a name alone."""
    text = name_of(settings)
    if Path(text).exists():
        return text, "", ""
    text, _, revision = text.partition("@")
    name, _, config = text.partition(":")
    return name, config, revision


def _splits(settings: Data, progress: Progress) -> dict[str, Any]:
    """``train``, perhaps ``validation`` and ``test``, whatever the data call them."""
    found = _loaded(settings, progress)
    if "train" not in found:
        raise UserError(f"{settings.source}: its splits are {', '.join(found)}; expected one that is called train")
    held_out = next((name for name in HELD_OUT if name in found), None)
    told = "test" in found and not _is_untold(found["test"])
    named = {"train": "train", "validation": held_out, "test": "test" if told else None}
    return {split: found[name] for split, name in named.items() if name}


def _loaded(settings: Data, progress: Progress) -> Any:
    """From the library's cache, after it has fetched there what is not a path."""
    from core.data import fetching, hub

    if importlib.util.find_spec("datasets") is None:
        raise UserError(f"{settings.source}: {MISSING}")
    progress("download", 0, 0, "bytes")
    name, config, revision = _parts(settings)
    why = "" if Path(name).exists() else fetching.fetch([*FETCH, name, config, revision], hub.place(name), progress)
    try:
        if not why:
            return hub.load(name, config, revision)
    except Exception as error:  # of the network, the hub, a file, and the library's own
        why = hub.reason(error)
    raise UserError(f"{settings.source}: cannot be loaded ({why}); check the name and the connection")


def _is_untold(split: Any) -> bool:
    """Test splits of competitions come without their labels, which are all -1 then."""
    label = next((name for name in LABELS if name in split.features), None)
    return bool(label and len(split) and set(split[label]) == {-1})


def _columns(source: str, split: Any) -> Columns:
    from datasets import ClassLabel, Image, Value

    features = split.features
    image = next((name for name, kind in features.items() if isinstance(kind, Image)), None)
    label = next((name for name, kind in features.items() if isinstance(kind, ClassLabel)), None)
    if image and label:
        return Columns(image, label, tuple(features[label].names))
    plain = next((name for name in LABELS if isinstance(features.get(name), Value)), None)
    if image and plain:
        return Columns(image, plain, ())
    raise UserError(f"{source}: its columns are {', '.join(features)}; expected one of images, and one of classes or 'label'")


def _looks(split: Any, columns: Columns) -> list[Any]:
    from core.data.images import look_at

    files = _files(split, columns, range(0, len(split), -(-len(split) // LOOKED_AT)))
    return [look_at(file, where) for file, where in files]


def _files(split: Any, columns: Columns, places: Any) -> Iterator[tuple[io.BytesIO, str]]:
    """Undecoded, since ours takes nothing but a few formats and refuses what is too large."""
    from datasets import Image

    from core.data.images import LARGEST_PIPED, in_one_line

    raw = split.select_columns([columns.image]).cast_column(columns.image, Image(decode=False))
    for place in places:
        item = raw[int(place)][columns.image]
        where = f"image {place} of the split"
        if item is None or not (item.get("bytes") or item.get("path")):
            raise UserError(f"{where} is empty; expected an image")
        with in_one_line(repr(item["path"]) if item.get("path") else where):
            content = item["bytes"] or read_plain(Path(item["path"]), LARGEST_PIPED, follow=True)
        yield io.BytesIO(content), where


def _content(source: str, found: dict[str, Any], columns: Columns, form: Form, notes: tuple[str, ...]) -> Content:
    import numpy as np

    from core.data import shaping
    from core.data.decoded import Content

    given = {name: split[columns.label] for name, split in found.items()}
    classes, labels = _classes(source, columns, {name: list(values) for name, values in given.items()})
    parts = {name: _part(split, columns, labels[name], form, np.arange(len(split))) for name, split in found.items()}
    if "test" in parts:
        return Content(classes, parts["train"], parts["test"], validation=parts.get("validation"), notes=notes)
    kept = shaping.kept_for_test(labels["train"])
    train, test = (_part(found["train"], columns, labels["train"], form, np.flatnonzero(mask)) for mask in (~kept, kept))
    return Content(classes, train, test, validation=parts.get("validation"), notes=(shaping.SPLIT, *notes))


def _classes(
    source: str, columns: Columns, given: dict[str, list[Any]]
) -> tuple[tuple[str, ...], dict[str, npt.NDArray[np.int64]]]:
    import numpy as np

    values = sorted({value for column in given.values() for value in column if value is not None})
    if len(values) < 2 or any(value is None or value == -1 for column in given.values() for value in column):
        raise UserError(f"{source}: {columns.label} has images of no class, or of a single one; expected two or more")
    if columns.classes and not 0 <= values[0] <= values[-1] < len(columns.classes):
        raise UserError(
            f"{source}: {columns.label} has {values[0]} to {values[-1]}, and there are {len(columns.classes)} classes"
        )
    numbers = {value: value if columns.classes else number for number, value in enumerate(values)}
    labels = {name: np.array([numbers[value] for value in column], np.int64) for name, column in given.items()}
    return columns.classes or tuple(map(str, values)), labels


def _part(split: Any, columns: Columns, labels: npt.NDArray[np.int64], form: Form, places: npt.NDArray[np.int64]) -> Part:
    from core.data.decoded import Part
    from core.data.images import decoded

    pixels = (decoded(file, where, form)[None] for file, where in _files(split, columns, places))
    return Part(labels[places], form.shape, pixels)
