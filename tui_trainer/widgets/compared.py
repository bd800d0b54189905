"""What the panels of compared runs share: the runs, what a person chose to see of them, and how a run is named."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, Literal, NamedTuple, Protocol, TypeAlias, cast

from rich.cells import cell_len
from rich.text import Text

from core.run.folder import RunFolder
from core.view.comparing import By, Subject
from tui_trainer.escape import printable
from tui_trainer.theme import Palette, of_runs
from tui_trainer.widgets.glyphs import ASCII, cut, glyphs
from tui_trainer.widgets.panel import Panel, Reads

Reference: TypeAlias = Literal["first", "best"]


class Choice(NamedTuple):
    scalar: str = ""
    """Full name of the one that is drawn; empty while there is none."""
    by: By = "step"
    front: int | None = None
    """Place of the run whose curve is in front, the others faint."""
    reference: Reference = "first"
    """To what differences are."""
    split: str = ""
    """Whose classes are shown; empty while none was measured."""
    by_spread: bool = False
    """Classes with the largest differences first, or in their own order."""


class Comparing(Protocol):
    """Of the screen, what such a panel needs."""

    subjects: tuple[Subject, ...]
    choice: Choice


class ComparedPanel(Panel[Reads], Generic[Reads]):
    """Over several runs. ``reads`` looks at the screen's subjects, since there is no one state."""

    SLOT = "left"

    def __init__(self, runs: Sequence[RunFolder]) -> None:
        super().__init__(runs[0])
        self.runs = tuple(runs)

    @property
    def comparing(self) -> Comparing:
        return cast(Comparing, self.screen)


def colour_of(place: int, colours: Palette) -> str:
    found = of_runs(colours.ground)
    return found[place % len(found)]


def number(place: int) -> str:
    """What a run is called where its name has no room, and its colour might not be seen."""
    return str(place + 1)


def shortened(name: str, width: int) -> str:
    """Cut in the middle, since names of a kind begin alike and end in what tells them apart."""
    shown, dots = printable(name), "~" if glyphs() is ASCII else "…"
    if cell_len(shown) <= width:
        return shown
    head = _begun(shown, (width - 1) // 2)
    tail = _begun(shown[::-1], width - 1 - cell_len(head))[::-1]
    return f"{head}{dots}{tail}"


def _begun(text: str, width: int) -> str:
    """As much of it as so many cells hold; some characters take two."""
    widths = accumulate(map(cell_len, text))
    return text[: sum(taken <= width for taken in widths)]


def plain(words: str, style: str, width: int = 0) -> Text:
    """A line of one style, in so many cells."""
    line = Text(words, style)
    return cut(line, width) if width else line


def named(place: int, name: str, width: int, colours: Palette) -> Text:
    """Number and name in the run's colour, as wide as is said."""
    colour, mark = colour_of(place, colours), f"{number(place)} "
    line = Text.assemble((mark, f"bold {colour}"), (shortened(name, max(width - len(mark), 1)), colour))
    return cut(line, width, pad=True)
