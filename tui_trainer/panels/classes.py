from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size

from core.view.readings import weights_measured
from core.view.state import ClassScore, State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.counts import no_classes
from tui_trainer.widgets.glyphs import bar, glyphs
from tui_trainer.widgets.lines import Lines
from tui_trainer.widgets.panel import Panel

NUMBERS = 13
"""Columns of value and change with the gaps before them."""
IMAGES = 7
ROOMY = 34
"""Columns from which on there is room for the number of images."""
WIDEST_BAR = 60


class Scores(NamedTuple):
    classes: tuple[ClassScore, ...]
    split: str
    """Empty where none is measured before the end."""
    epoch: int
    none: str = ""
    """Why there are no classes."""
    weights: str = ""
    """Which ones, where they are not those of the epoch."""


class Classes(Panel[Scores]):
    """Accuracy of each class at the latest measurement: bar, per cent, change since the one before, images."""

    NAME = "classes"
    SLOT = "table"
    RANK = 10
    UNTOLD = "these files tell of no classes"

    def reads(self, state: State, now: float) -> Scores:
        latest = state.measurements.get("test" if state.unwatched else state.split)
        split = "" if state.unwatched else state.split
        if latest and latest.classes:
            return Scores(latest.classes, split, latest.epoch, weights=weights_measured(state, latest))
        return Scores(
            tuple(ClassScore(name, 0, 0) for name in state.classes), split, latest.epoch if latest else 0, no_classes(state)
        )

    def draw(self, reads: Scores, size: Size, colours: Palette) -> Sequence[Text]:
        if not reads.classes:
            return [Text(reads.none, colours.muted)]
        numbers = NUMBERS + (IMAGES if size.width >= ROOMY else 0)
        longest = max(cell_len(printable(score.name)) for score in reads.classes)
        name_width = max(5, min(longest, size.width - numbers - 8))
        bar_width = max(0, min(WIDEST_BAR, size.width - name_width - numbers - 1))
        width = name_width + 1 + bar_width + numbers
        head = Text(" " * (name_width + 1 + bar_width) + "     % change images"[:numbers], colours.muted)
        classes = reads.classes
        return Lines(head, len(classes), lambda place: _line(classes[place], name_width, bar_width, colours)[:width])

    def title(self, reads: Scores, colours: Palette) -> Text:
        title = Text("classes  ")
        if not reads.split:
            return title.append("test, at the end" if reads.epoch else "measured on test at the end", colours.muted)
        title.append(*(("TEST", f"bold {colours.warn}") if reads.split == "test" else ("validation", colours.muted)))
        epoch = f"epoch {reads.epoch}" if reads.epoch else "not measured"
        title.append(f"  {reads.weights or epoch}", colours.muted)
        return title


def _line(score: ClassScore, name_width: int, bar_width: int, colours: Palette) -> Text:
    line = Text(printable(score.name), colours.text)
    line.truncate(name_width, overflow="ellipsis", pad=True)
    filled, empty = bar(score.accuracy or 0.0, bar_width, glyphs())
    line.append(" ").append(filled, colours.bar).append(empty, colours.track)
    if score.accuracy is None:
        return line.append("     -", colours.muted)
    line.append(f"{score.accuracy * 100:6.1f}", colours.text)
    line.append_text(_change(score.change, colours))
    return line.append(f"{score.images:7,}", colours.muted)


def _change(change: float | None, colours: Palette) -> Text:
    if change is None:
        return Text(" " * 7)
    if abs(change) < 0.0005:
        return Text("    0.0", colours.muted)
    sign, colour = (glyphs().better, colours.good) if change > 0 else (glyphs().worse, colours.bad)
    return Text(f"{sign}{abs(change) * 100:.1f}".rjust(7), colour)
