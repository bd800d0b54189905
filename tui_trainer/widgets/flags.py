"""Moments on the axis of a plot: ends of epochs, checkpoints, and what happened to the run."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import Glyphs


class Kind(Enum):
    """The later ones lie on top of the earlier where they meet. The value: its glyph's and its colour's name, whether a line
    goes through the picture, and what is said before its text."""

    EPOCH = ("epoch", "faint", False, "end of epoch")
    CHECKPOINT = ("checkpoint", "good", False, "")
    SAVED = ("saved", "good", False, "")
    VALIDATED = ("measured", "held_out", False, "")
    SETTING = ("changed", "warn", True, "")
    RESUME = ("resumed", "warn", True, "")
    REWIND = ("rewound", "bad", True, "")
    REMARK = ("remarked", "text", True, "")

    def glyph(self, marks: Glyphs) -> str:
        return str(getattr(marks, self.value[0]))

    @property
    def through(self) -> bool:
        return self.value[2]

    @property
    def rank(self) -> int:
        return list(Kind).index(self)


OF_MARK = {
    "saved": Kind.SAVED, "validated": Kind.VALIDATED, "setting": Kind.SETTING, "resume": Kind.RESUME, "rewind": Kind.REWIND,
    "remark": Kind.REMARK,
}  # fmt: skip
"""By what State calls it."""


class Flag(NamedTuple):
    step: int
    kind: Kind
    text: str = ""

    def colour(self, colours: Palette) -> str:
        return str(getattr(colours, self.kind.value[1]))

    @property
    def words(self) -> str:
        return printable(f"{self.kind.value[3]} {self.text}".strip())


def flags(state: State) -> tuple[Flag, ...]:
    """All of a run, in the order in which they are drawn."""
    return tuple(sorted(_flags(state), key=lambda flag: flag.kind.rank))


def _flags(state: State) -> Iterator[Flag]:
    for checkpoint in state.checkpoints:
        if not checkpoint.name:
            best = " (the best so far)" if checkpoint.best else ""
            yield Flag(checkpoint.step, Kind.CHECKPOINT, checkpoint.checkpoint + best)
    for mark in state.marks:
        if kind := OF_MARK.get(mark.kind):
            yield Flag(mark.step, kind, mark.text)


def epochs(left: float, right: float, steps_per_epoch: int, room: int) -> tuple[Flag, ...]:
    """The ends of epochs between two steps; none where they would stand closer than every third of ``room`` cells."""
    if not steps_per_epoch or (right - left) / steps_per_epoch > room / 3:
        return ()
    first, last = int(left // steps_per_epoch) + 1, int(right // steps_per_epoch)
    return tuple(Flag(epoch * steps_per_epoch, Kind.EPOCH, str(epoch)) for epoch in range(first, last + 1))
