"""What a tracker is told, and what it has to be: a class of this kind in a file of its own in :mod:`tui_trainer.trackers`.

Whatever it is told is safe already: names and texts are short and without odd characters, times and steps within bounds."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, TypeAlias

from core.run.folder import RunFolder

Plain: TypeAlias = bool | int | float | str
SECRETS = re.compile(r"(//)[^/\s]+(?=@)|([?&](?:pass\w*|token)=)[^&\s]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Without the users, passwords and tokens of addresses in it: to be shown, and to be kept in a run folder."""
    return SECRETS.sub(r"\1\2***", text)


class About(NamedTuple):
    """All that is told of a run beside what it measures."""

    name: str
    created: float
    settings: dict[str, Plain]
    """The recipe, or what a program has told of its own, with dots between the parts of a key."""
    recipe: str
    """The same as text."""
    versions: dict[str, str]


class Point(NamedTuple):
    """Some scalars of one moment."""

    seq: int
    """Of the event: no other point of the run has it, and later ones have higher ones."""
    step: int
    epoch: int
    time: float
    """Unix seconds."""
    values: dict[str, float]
    """By names such as ``train/loss``, ``val/accuracy``, ``epoch/train_loss``. NaN and infinities are among them."""


class Confusion(NamedTuple):
    """``counts[t][p]`` images of class t were taken for p."""

    seq: int
    split: str
    """``val`` or ``test``."""
    step: int
    epoch: int
    time: float
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def name(self) -> str:
        return f"{self.split}/confusion"


class Ending(NamedTuple):
    status: str
    """As in :data:`core.view.state.Status`."""
    words: str
    step: int
    time: float
    metrics: dict[str, float]
    """The latest of each, by the names of points."""
    best: dict[str, float]
    """Of what was watched, as ``best/val_loss``, and its epoch."""

    @property
    def good(self) -> bool:
        return self.status in ("finished", "early-stopped")

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "lost")


class Tracker(ABC):
    """One tool. Its library is imported inside of it only, since whoever lists the trackers need not have it."""

    LIBRARY: ClassVar[str] = ""
    """What has to be installed, by the name that is imported."""
    PLACE: ClassVar[str] = "PLACE"
    """What a person may give behind the colon, in a word."""
    REPLACES: ClassVar[bool] = False
    """Whether ``begin`` and ``taken_back`` make the tool forget what it has of later steps; else its history keeps that."""

    def __init__(self, about: About, place: str) -> None:
        """``place`` is what ``resolved`` gave."""
        self.about, self.place = about, place
        self.rewinds = 0
        """How often the run took back what it had told; for tools that forget nothing."""

    @classmethod
    @abstractmethod
    def resolved(cls, run: RunFolder, place: str) -> str:
        """Where this run goes, in full, for what a person has given behind the colon (``""``: nothing). Raises UserError."""

    @property
    @abstractmethod
    def hint(self) -> str:
        """How a person gets to see it: a command."""

    @abstractmethod
    def begin(self, known: str, step: int) -> str:
        """Open the run in the tool, and return its id there. With the id that is ``known`` from before, that run goes on: what
        it has of ``step`` and later will be told again if the tracker REPLACES it, and is not told again otherwise."""

    @abstractmethod
    def describe(self) -> None:
        """Tell of an open run what :class:`About` holds. Should it fail, it is called again with another ``begin``."""

    @abstractmethod
    def scalars(self, points: Sequence[Point]) -> None: ...

    @abstractmethod
    def confusion(self, found: Confusion) -> None: ...

    @abstractmethod
    def taken_back(self, step: int, time: float) -> None:
        """The run went back to this step: what it told of later ones does not hold any more."""

    @abstractmethod
    def ended(self, ending: Ending) -> None:
        """No process trains it any more; should it be resumed, another ``begin`` says so."""

    @abstractmethod
    def flush(self) -> None:
        """Back once everything is with the tool: it will not be told again."""

    @abstractmethod
    def close(self) -> None:
        """After whatever came before, an error too."""
