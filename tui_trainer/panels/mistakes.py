from __future__ import annotations

from collections import Counter
from typing import TypeVar

from core.view.pictures import Picture
from tui_trainer.bindings import bindings
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.picture_panel import PicturePanel, Shown
from tui_trainer.widgets.picture_words import name_of, short_names

T = TypeVar("T")


class Mistakes(PicturePanel):
    """The images that were most confidently taken for another class, of all classes, of one, or of a pair."""

    NAME = "mistakes"
    KIND = "mistakes"
    SLOT = "left"
    RANK = 10
    UNTOLD = "the pictures of others are not shown; the log says which there are"
    SCOPES = ("pictures", "mistakes")
    BINDINGS = bindings("mistakes")
    HINT = (("next_class", "class"), ("next_pair", "pair"), *PicturePanel.HINT)

    def caption(self, picture: Picture, classes: tuple[str, ...], width: int) -> str:
        truth, guess = name_of(classes, picture.label), name_of(classes, picture.other)
        sure = f"{picture.share * 100:.0f}"
        words = f"{truth}, taken for {guess} {sure} %"
        if len(words) <= width:
            return words
        arrow = ">" if glyphs() is ASCII else "→"
        truth, guess = short_names((truth, guess), width - len(sure) - len(arrow) - 2)
        return f"{truth}{arrow}{guess} {sure}%"

    def empty(self, reads: Shown) -> str:
        if reads.ended:
            return "this run kept no pictures of mistakes: it measured none, or its recipe has pictures.mistakes = 0"
        return "no pictures of mistakes yet; the first come with the first measurement"

    def filter_words(self, reads: Shown) -> str:
        truth, guess = reads.filters
        if truth is None:
            return ""
        name = name_of(reads.classes, truth)
        return f"{name} taken for {name_of(reads.classes, guess)}" if guess is not None else name

    def action_next_class(self) -> None:
        self._class(1)

    def action_previous_class(self) -> None:
        self._class(-1)

    def action_next_pair(self) -> None:
        self._pair(1)

    def action_previous_pair(self) -> None:
        self._pair(-1)

    def action_all_pictures(self) -> None:
        self.filter_by(None, None)

    def _class(self, by: int) -> None:
        """Through all, then each true class of which there are pictures, and around."""
        found: list[int | None] = [None, *sorted({picture.label for picture in self.known()})]
        truth = self._filters[0] if self._filters[1] is None else None
        self.filter_by(_after(found, truth, by), None)

    def _pair(self, by: int) -> None:
        """Through all, then each pair, the one with most pictures first, and around."""
        pairs = Counter((picture.label, picture.other) for picture in self.known())
        found: list[tuple[int | None, int | None]] = [(None, None), *(pair for pair, _ in pairs.most_common())]
        self.filter_by(*_after(found, self._filters, by))


def _after(found: list[T], present: T, by: int) -> T:
    place = found.index(present) if present in found else 0
    return found[(place + by) % len(found)]
