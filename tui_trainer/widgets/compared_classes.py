"""Accuracy by class of compared runs, and how far each is from the first or from the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.view.comparing import Classes, ClassRow, classes, splits
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.compared import ComparedPanel, Reference, colour_of, number, plain, shortened
from tui_trainer.widgets.compared_grid import heads, key
from tui_trainer.widgets.glyphs import cut

ACCURACY, CHANGE, GAP = 5, 6, 2
"""Cells of ``93.29`` and of `` +0.36``."""
BOTH = ACCURACY + 1 + CHANGE
NAMED, WIDEST = 20, 30
"""Cells from which a column bears its run's name, and which are enough for it."""
SMALLEST = 0.00005
NARROWEST_NAME, WIDEST_NAME = 10, 28
HINT, HINT_SPLIT = "d difference to  o order", "  v split"


class Table(NamedTuple):
    names: tuple[str, ...]
    found: Classes | None
    reference: Reference
    by_spread: bool
    why: tuple[str, ...]
    splits: int


class Drawing(NamedTuple):
    reads: Table
    found: Classes
    name: int
    """Cells of a class's name."""
    gap: int
    cell: int
    """Of a run's figures."""
    both: bool
    """Accuracy and difference; else only the difference, but of the run that it is to."""
    colours: Palette


class ComparedClasses(ComparedPanel[Table]):
    NAME = "by class"
    PERIOD = 0.5
    HEAD = 1

    def reads(self, state: State, now: float) -> Table:
        subjects, choice = self.comparing.subjects, self.comparing.choice
        found = classes(subjects, choice.split) if choice.split else None
        why = tuple(_why(item.state) for item in subjects) if found is None else ()
        names = tuple(item.name for item in subjects)
        return Table(names, found, choice.reference, choice.by_spread, why, len(splits(subjects)))

    def draw(self, reads: Table, size: Size, colours: Palette) -> Sequence[Text]:
        if reads.found is None:
            lines = [plain("none of these runs has measured its classes yet", colours.muted, size.width), Text()]
            return lines + [_noted(place, words, size.width, colours) for place, words in enumerate(reads.why)]
        drawing = _drawing(reads, reads.found, size.width, colours)
        rows = [reads.found.whole, *_in_order(reads.found.rows, reads.by_spread)]
        notes = [_noted(place, note, size.width, colours) for place, note in enumerate(reads.found.notes) if note]
        names = key(reads.names, size.width, colours) if drawing.cell < NAMED else []
        return [_head(drawing), *(_line(row, drawing) for row in rows), Text(), *names, *notes]

    def title(self, reads: Table, colours: Palette) -> Text:
        if reads.found is None:
            return Text(self.NAME)
        to = "the first run" if reads.reference == "first" else "the best of each class"
        order = "largest differences first" if reads.by_spread else ""
        split = "TEST" if reads.found.split == "test" else reads.found.split
        return Text(f"{self.NAME}  {split}, accuracy in % and difference to {to}" + (f"  {order}" if order else ""))

    def subtitle(self, reads: Table, colours: Palette) -> Text | None:
        return Text(HINT + (HINT_SPLIT if reads.splits > 1 else ""), colours.muted)


def _why(state: State) -> str:
    if state.seq < 0:
        return "has said nothing yet"
    return "measures nothing before its end" if state.unwatched else "was not measured yet"


def _in_order(rows: Sequence[ClassRow], by_spread: bool) -> list[ClassRow]:
    return sorted(rows, key=lambda row: -row.spread) if by_spread else list(rows)


def _drawing(reads: Table, found: Classes, width: int, colours: Palette) -> Drawing:
    runs = len(reads.names)
    name = max((len(printable(row.name)) for row in (found.whole, *found.rows)), default=0)
    name = min(max(name, NARROWEST_NAME), WIDEST_NAME, max(width // 4, NARROWEST_NAME))
    room = (width - name) // runs
    both = room > BOTH
    gap = GAP if room >= GAP + (BOTH if both else CHANGE) else 1
    return Drawing(reads, found, name, gap, min(max(room - gap, CHANGE), WIDEST), both, colours)


def _head(drawing: Drawing) -> Text:
    line = Text("class".ljust(drawing.name), drawing.colours.muted)
    for head in heads(drawing.reads.names, drawing.cell if drawing.cell >= NAMED else 1, drawing.colours):
        line.append(" " * (drawing.gap + drawing.cell - head.cell_len)).append_text(head)
    return line


def _line(row: ClassRow, drawing: Drawing) -> Text:
    colours, reference = drawing.colours, 0 if drawing.reads.reference == "first" else None
    line = Text(shortened(row.name, drawing.name), f"bold {colours.text}" if row is drawing.found.whole else colours.text)
    cut(line, drawing.name, pad=True)
    differences = row.differences(reference)
    best = max((value for value in row.accuracies if value is not None), default=None)
    for place, (accuracy, difference) in enumerate(zip(row.accuracies, differences, strict=True)):
        is_base = place == reference if reference is not None else accuracy is not None and accuracy == best
        cell = _cell(accuracy, difference, is_base, drawing)
        line.append(" " * (drawing.gap + drawing.cell - cell.cell_len)).append_text(cell)
    return line


def _cell(accuracy: float | None, difference: float | None, is_base: bool, drawing: Drawing) -> Text:
    colours = drawing.colours
    if accuracy is None:
        return Text("-", colours.faint)
    share = Text(f"{100 * accuracy:.1f}".rjust(ACCURACY), colours.text)
    if not drawing.both and (is_base or difference is None):
        return share
    change = Text(" " * CHANGE) if is_base else _signed(difference, colours)
    return Text.assemble(share, " ", change) if drawing.both else change


def _signed(difference: float | None, colours: Palette) -> Text:
    if difference is None:
        return Text(" " * CHANGE)
    if abs(difference) < SMALLEST:
        return Text("0.0".rjust(CHANGE), colours.muted)
    return Text(f"{100 * difference:+.1f}".rjust(CHANGE), colours.good if difference > 0 else colours.bad)


def _noted(place: int, note: str, width: int, colours: Palette) -> Text:
    line = Text.assemble((f"{number(place)} ", f"bold {colour_of(place, colours)}"), (printable(note), colours.warn))
    return cut(line, width)
