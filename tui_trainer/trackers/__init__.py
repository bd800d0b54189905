"""One file = one tracker: another tool that shows trainings. A new one is a new file here; nothing else has to be edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

from core.errors import UserError
from core.explain import hint
from tui_trainer.trackers._base import Tracker, masked


class Wanted(NamedTuple):
    """``KIND`` or ``KIND:PLACE``, as a person has given it."""

    kind: str
    place: str = ""

    @property
    def whole(self) -> str:
        return f"{self.kind}:{self.place}" if self.place else self.kind

    def __str__(self) -> str:
        """To be shown."""
        return masked(self.whole)


def kinds() -> list[str]:
    """Those of all files of this folder, but for what these share."""
    return sorted(entry.name for entry in pkgutil.iter_modules(__path__) if not entry.name.startswith("_"))


def tracker(kind: str) -> type[Tracker]:
    """The one of a kind that there is."""
    if kind not in kinds():
        raise _unknown(kind)
    module = importlib.import_module(f"{__name__}.{kind}")
    (found,) = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Tracker) and member.__module__ == module.__name__
    ]
    return found


def ways() -> list[str]:
    """All that can be given, with what the place is of each."""
    return [f"{kind}[:{tracker(kind).PLACE}]" for kind in kinds()]


def _unknown(kind: str) -> UserError:
    return UserError(f"no tracker '{kind}'{hint(kind, kinds())}; expected one of {', '.join(kinds())}")


def named(option: str, text: str) -> Wanted:
    """Raises UserError for a tracker that there is not."""
    wanted = Wanted(*text.partition(":")[::2])
    if wanted.kind not in kinds():
        raise UserError(f"{option} {masked(text)!r}: {_unknown(wanted.kind)}")
    return wanted


def parse(option: str, text: str) -> Wanted:
    """Raises UserError also for one whose library is not installed: before anything is begun."""
    wanted = named(option, text)
    library = tracker(wanted.kind).LIBRARY
    if library and find_spec(library) is None:
        raise UserError(
            f"{option} {wanted.kind}: needs {library}, which is not installed; install it with: "
            f"pip install 'tui-trainer[{wanted.kind}]'"
        )
    return wanted


def parse_all(option: str, texts: Sequence[str]) -> list[Wanted]:
    """Each once."""
    return list(dict.fromkeys(parse(option, text) for text in texts))
