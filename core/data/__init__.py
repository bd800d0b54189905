"""Data sets: classified images as uint8 arrays, from a source that is one file in ``core/data/sources``.

Importing this imports neither torch nor numpy. A source is a module with the names of :class:`Source`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, cast

import msgspec

from core.data.sharing import is_path
from core.errors import UserError
from core.explain import hint
from core.models import Inputs
from core.sections import Data

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Progress: TypeAlias = Callable[[str, int, int, str], None]
"""Called with (phase, done, total, unit): phase ``download`` or ``prepare``; a total of 0 means not known. An exception
raised in it cancels, and nothing half-written stays visible."""


class Images(NamedTuple):
    """``pixels`` uint8 [n, channels, height, width], ``labels`` int64 [n], positions in :attr:`Dataset.classes`."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """All splits whole; ``mean`` and ``std`` are per channel, for pixels scaled to 0..1; arrays may be read-only."""

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Images
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    """SHA-256 (hex) of all but the name and the notes."""
    validation: Images | None = None
    """Where the data bring a split of their own that is held out of training."""
    notes: tuple[str, ...] = ()
    """In sentences, what was made of the data that a person should know."""


@dataclass(frozen=True)
class Availability:
    """Whether a source can be loaded at once: ``where`` it lies, else the one-line ``hint`` of how to get it."""

    ready: bool
    where: str = ""
    hint: str = ""
    fetchable: bool = False
    """Whether ``load`` fetches what is missing by itself."""


class Source(Protocol):
    """What a module in ``core/data/sources`` defines."""

    EXPECTED: str
    """What ``--data PATH`` may point to, for an error message; empty when the source takes no path."""
    NAMES: tuple[str, ...] | None
    """What may follow its own name and a colon, as in ``torchvision:mnist``: empty for nothing, None for any text."""
    TERMS: str
    """In sentences, whose data they are and on what terms, for whoever passes on what was trained on them; empty where only
    the user knows."""

    def recognises(self, path: Path) -> bool: ...
    def availability(self, settings: Data) -> Availability: ...
    def inputs(self, settings: Data) -> Inputs | None: ...
    def load(self, settings: Data, progress: Progress) -> Dataset: ...
    def fetch(self, settings: Data, progress: Progress) -> Path: ...


def silent(phase: str, done: int, total: int, unit: str) -> None:
    """Progress that nobody watches."""


def names() -> list[str]:
    """The names of all sources: the files in ``core/data/sources``."""
    entries = (entry.name for entry in (resources.files("core") / "data" / "sources").iterdir())
    return sorted(name.removesuffix(".py") for name in entries if name.endswith(".py") and not name.startswith("_"))


def availability(settings: Data) -> Availability:
    """What is there and what is missing, quickly: nothing is decoded or fetched. Raises UserError for an unknown source."""
    with _one_line(settings.source):
        return _source(settings.source).availability(settings)


def inputs(settings: Data) -> Inputs | None:
    """What a network for these data is built for, quickly; None where that shows only once they are fetched. Raises UserError
    for what ``load`` would not find either."""
    with _one_line(settings.source):
        return _source(settings.source).inputs(settings)


def known_inputs(settings: Data) -> Inputs:
    """As :func:`inputs`. Raises UserError also where that shows only once they are fetched."""
    if found := inputs(settings):
        return found
    raise UserError(f"data {settings.source}: its classes show only once it is fetched, which a training does first")


def load(settings: Data, progress: Progress = silent) -> Dataset:
    """The data set, fetched and decoded first where need be; raises UserError for missing or damaged data."""
    with _one_line(settings.source):
        return _source(settings.source).load(settings, progress)


def fetch(source: str, progress: Progress = silent) -> Path:
    """Download a source's files to the cache (done at once when they are there); raises UserError."""
    with _one_line(source):
        return _source(source).fetch(Data(source=source), progress)


def choices() -> list[str]:
    """All that ``data.source`` can be, ``source:name`` for those with known names; one that takes any is named alone."""
    found = []
    for name in names():
        of_source = _module(name).NAMES
        found += [f"{name}:{item}" for item in of_source] if of_source else [name]
    return found


def names_of(source: str) -> tuple[str, ...] | None:
    """What may follow a source's name and a colon: empty for nothing, None for any text."""
    return _module(source).NAMES


def takes_path(settings: Data) -> bool:
    """Whether ``data.path`` says where this source's data lie."""
    module = _source(settings.source)
    return bool(module.EXPECTED) or module.NAMES != ()


def about(source: str) -> str:
    """A source in a sentence."""
    return (_module(source).__doc__ or "").partition("\n\n")[0].replace("``", "").replace("\n", " ").rstrip(".")


def terms(source: str) -> str:
    """Whose the data of a source are and on what terms, in sentences; empty where only the user knows."""
    return "" if is_path(source) else _source(source).TERMS


def name_of(settings: Data) -> str:
    """What follows the colon in ``data.source``; empty without one."""
    return settings.source.partition(":")[2]


def from_text(text: str, settings: Data) -> Data:
    """``settings`` with what ``--data NAME|PATH`` says: a source's name, or a path that one of the sources recognises."""
    if text.partition(":")[0] in names():
        _source(text)
        source, _, name = text.partition(":")
        if name and (path := Path(name).expanduser()).exists() and _module(source).NAMES is None:
            # A resume may be asked for in another folder.
            text = f"{source}:{path.absolute()}"
        return msgspec.structs.replace(settings, source=text, path=settings.path if text == settings.source else None)
    problem = "neither a source nor an existing path"
    try:
        path = Path(text).expanduser().absolute()
        for name in names() if text else ():
            if _module(name).recognises(path):
                return msgspec.structs.replace(settings, source=name, path=str(path))
        if text and path.exists():
            problem = "its content is none of the known forms"
    except (OSError, RuntimeError) as error:  # RuntimeError: ~name of a user who does not exist
        problem = (error.strerror if isinstance(error, OSError) else str(error)) or problem
    known = ", ".join(f"{name}:NAME" if _module(name).NAMES != () else name for name in names())
    raise UserError(f"--data {text!r}: {problem}; expected one of {known}, or {_expected_paths()}")


def _expected_paths() -> str:
    return ", or ".join(filter(None, (_module(name).EXPECTED for name in names())))


def _source(text: str) -> Source:
    """Raises UserError for a source that there is not, and for a name that it has not."""
    source, colon, name = text.partition(":")
    if source not in names():
        raise UserError(f"data source {source!r} is not known{hint(source, names())}; known are {', '.join(names())}")
    module = _module(source)
    known = module.NAMES
    if known == () and colon:
        raise UserError(f"data source {text!r}: '{source}' takes no name after a colon; use '{source}'")
    if known == () or (known is None and name) or (known and name in known):
        return module
    if known is None:
        raise UserError(f"data source {text!r}: expected {source}:NAME")
    wrong = f"{source} has no {name!r}{hint(name, list(known))}" if name else f"expected {source}:NAME"
    raise UserError(f"data source {text!r}: {wrong}; known are {', '.join(known)}")


def _module(name: str) -> Source:
    return cast(Source, importlib.import_module(f"core.data.sources.{name}"))


@contextmanager
def _one_line(source: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"data {source}: {error}; check the path and its permissions") from error
