"""A trained network for other programs: one file = one format, found by listing this folder; its name is the file's ending.

A format defines the names of :class:`Format`. A file whose name begins with ``_`` is what they share. What is written is loaded
anew and run beside the network itself before it is there under its name (``_checking.py``); :func:`export` does it all.
Importing this imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from core.errors import UserError
from core.explain import hint
from core.exporting._facts import INPUT as INPUT
from core.exporting._facts import OUTPUT as OUTPUT
from core.exporting._facts import Export as Export
from core.exporting._facts import Facts as Facts
from core.exporting._facts import Written as Written
from core.files import check_free

if TYPE_CHECKING:
    from torch import Tensor

    from core.exporting._program import Model
    from core.exporting._writing import export as export

TAKEN = "choose another name with --to, or write over it with --force"
"""What is to be done where a file is there already."""
Run: TypeAlias = "Callable[[Tensor], Tensor]"
"""uint8 images [n, channels, size, size] to float32 logits [n, classes]."""


class Format(Protocol):
    """What a module of this folder defines; importing it imports no torch."""

    BESIDE: tuple[str, ...]
    """Names of further files that go beside the one that was asked for."""
    WORDS: str
    """What such a file is, in a sentence."""

    def check(self) -> None:
        """Raises UserError where a library is missing that writes it, or that runs it."""
        ...

    def files(self, model: Model, name: str) -> dict[str, bytes]:
        """The file of that name, and those beside it. Raises whatever its library raises."""
        ...

    def opened(self, path: Path, code: Path | None) -> Run:
        """What the written file is to whoever loads it: only it, and what lies beside it, is used. ``code`` is the folder with
        code of the user's own, where the network is that."""
        ...

    def use(self, facts: Facts, name: str) -> str:
        """A program in Python that says what is in a picture, in lines; ``image`` is made in those before them."""
        ...


def names() -> list[str]:
    """The formats that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def of(path: Path) -> Format:
    """The format of a file by its ending; raises UserError."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in names():
        known = ", ".join(f".{name}" for name in names())
        raise UserError(f"--to {path}: expected a name that ends in one of {known}{hint(ending, names())}")
    return cast(Format, importlib.import_module(f"{__name__}.{ending}"))


def check(targets: Sequence[Path], force: bool = False) -> None:
    """Whether all of these can be written, which needs no torch: raises UserError for an ending that is none, for a library or
    folder that is missing, and for what is there already, unless ``force``."""
    paths = [path for target in targets for path in _beside(target)]
    for path in paths:
        if not path.parent.is_dir():
            raise UserError(f"--to {path}: there is no folder {path.parent}; make it first")
        if paths.count(path) > 1:
            raise UserError(f"--to {path}: would be written twice; leave one out, or choose another folder for it")
        check_free(path, force, TAKEN)
    for target in targets:
        of(target).check()


def _beside(target: Path) -> list[Path]:
    """A target and what is written beside it."""
    return [target, *(target.with_name(name) for name in of(target).BESIDE)]


def __getattr__(name: str) -> object:
    """What needs torch comes from its file when it is first used."""
    if name == "export":
        from core.exporting._writing import export

        return export
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
