from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from core.run.folder import RunFolder
from core.view.state import Measurement, State
from tui_trainer.bindings import bindings
from tui_trainer.comparison import Compared
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.comparing import ComparingPanel
from tui_trainer.widgets.counts import Shares, Square, shares, square, why_none
from tui_trainer.widgets.glyphs import ASCII, cut, glyphs
from tui_trainer.widgets.heat import few_colours, heat, shade
from tui_trainer.widgets.wrapping import wrap

LEAST_LABEL, LEAST_CELL, MOST_CELL = 5, 2, 7
"""Columns."""
AROUND = 2
"""Lines beside the classes': names above them, and the chosen cell in words below."""
BORDER = 2


class Matrix(NamedTuple):
    compared: Compared
    unwatched: bool
    cursor: tuple[int, int] | None
    """True class and guess; None for the most frequent mistake."""
    counts: bool
    few_colours: bool
    focused: bool


class View(NamedTuple):
    """Which part of the square is drawn, and how."""

    label: int
    cell: int
    top: int
    left: int
    rows: int
    columns: int


CELLS = "cell_up cell_down cell_left cell_right"
"""The actions that choose a cell."""


class ConfusionMatrix(ComparingPanel[Matrix]):
    """How many images of each class (a row) were taken for which (a column); or what changed between two epochs."""

    NAME = "confusion"
    SLOT = "right"
    RANK = 10
    UNTOLD = "these files tell of no classes"
    SCOPES = ("classes", "matrix")
    BINDINGS = bindings("matrix")
    HINT = ((CELLS, "choose"), ("units", "units"))
    HINT_COMPARED = ((CELLS, "choose"),)

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run)
        self._cursor: tuple[int, int] | None = None
        self._counts = False
        self._view = View(0, LEAST_CELL, 0, 0, 0, 0)
        self._known: tuple[Measurement | None, Measurement | None, bool, Shares | None] | None = None

    def reads(self, state: State, now: float) -> Matrix:
        compared = self.comparison.look(state)
        return Matrix(compared, state.unwatched, self._cursor, self._counts, few_colours(self.app), self.has_focus)

    def draw(self, reads: Matrix, size: Size, colours: Palette) -> Sequence[Text | Strip]:
        known = self._shares(reads.compared)
        if known is None:
            words = reads.compared.note or why_none(reads.compared.later, reads.unwatched)
            return [Text(line, colours.muted) for line in wrap(words, size.width)]
        names = known.later.names
        self.styles.max_height = len(names) + AROUND + BORDER
        cursor = reads.cursor if reads.cursor and max(reads.cursor) < len(names) else known.later.largest_mistake()
        self._view = view = _view(known.later, size, cursor, self._view, reads.counts and not reads.compared.on)
        drawn = Drawn(known, view, cursor, reads, colours)
        return [drawn.head(), *(drawn.line(truth, size.width) for truth in range(view.top, view.top + view.rows)),
                drawn.words(size.width)]  # fmt: skip

    def _shares(self, compared: Compared) -> Shares | None:
        """Worked out once for the same measurements."""
        if self._known is None or self._known[0] is not compared.later or self._known[1:3] != (compared.earlier, compared.on):
            found = shares(compared.later, compared.earlier, compared.on)
            self._known = compared.later, compared.earlier, compared.on, found
        return self._known[3]

    def title(self, reads: Matrix, colours: Palette) -> Text:
        compared, unit = reads.compared, "images" if reads.counts and not reads.compared.on else "%"
        title = Text(f"{self.NAME} ").append(unit, colours.text)
        if compared.on:
            return title.append(f"  epoch {compared.later_epoch} less {compared.earlier_epoch}", colours.muted)
        return title.append("  rows: true class", colours.muted)

    def on_click(self, event: events.Click | None = None) -> None:
        """Beside the panel's own, which Textual calls as well."""
        offset, view = event.get_content_offset(self) if event else None, self._view
        if offset and 1 <= offset.y <= view.rows and view.label <= offset.x < view.label + view.columns * view.cell:
            self._go(view.top + offset.y - 1, view.left + (offset.x - view.label) // view.cell)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._move(1, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._move(-1, 0)

    def action_cell_up(self) -> None:
        self._move(-1, 0)

    def action_cell_down(self) -> None:
        self._move(1, 0)

    def action_cell_left(self) -> None:
        self._move(0, -1)

    def action_cell_right(self) -> None:
        self._move(0, 1)

    def action_cell_first(self) -> None:
        self._go(0, 0)

    def action_cell_last(self) -> None:
        if shown := self._square():
            self._go(len(shown.names) - 1, len(shown.names) - 1)

    def action_units(self) -> None:
        self._counts = not self._counts
        self.show(self._state, self._now)

    def values(self) -> Iterator[tuple[str, str]]:
        """What is said of the chosen cell."""
        words = self._lines[-1] if self._square() else None
        if isinstance(words, Text):
            yield "cell", words.plain.strip()

    def _square(self) -> Square | None:
        return square(self._reads.compared.later) if self._reads else None

    def _move(self, down: int, right: int) -> None:
        if shown := self._square():
            row, column = self._cursor or shown.largest_mistake()
            last = len(shown.names) - 1
            self._go(min(max(row + down, 0), last), min(max(column + right, 0), last))

    def _go(self, row: int, column: int) -> None:
        self._cursor = row, column
        self.show(self._state, self._now)


class Drawn:
    """The square, or the difference of two, as lines."""

    def __init__(self, known: Shares, view: View, cursor: tuple[int, int], reads: Matrix, colours: Palette) -> None:
        self.known, self.later, self.earlier = known, known.later, known.earlier
        self.view, self.cursor, self.reads, self.colours = view, cursor, reads, colours
        self.ground = Style.parse(f"{colours.text} on {colours.ground}")
        self.chosen = Style(bold=True, reverse=reads.focused, underline=not reads.focused)

    def head(self) -> Text:
        view, head = self.view, Text(" " * self.view.label)
        for guess in range(view.left, view.left + view.columns):
            name = Text(printable(self.later.names[guess]))
            name.truncate(view.cell - 1)
            style = f"bold {self.colours.text}" if guess == self.cursor[1] else self.colours.muted
            head.append(" " * (view.cell - name.cell_len)).append(name.plain, style)
        return head

    def line(self, truth: int, width: int) -> Strip:
        view = self.view
        label = cut(Text(printable(self.later.names[truth])), view.label - 1, pad=True).plain
        quiet = self.ground if truth == self.cursor[0] else heat(0.0, "", self.colours)
        segments = [Segment(f"{label} ", quiet)]
        for guess in range(view.left, view.left + view.columns):
            words, style = self._cell(truth, guess)
            segments.append(Segment(words, style + self.chosen if (truth, guess) == self.cursor else style))
        return Strip(segments).adjust_cell_length(width, self.ground)

    def words(self, width: int) -> Text:
        """The chosen cell."""
        (truth, guess), later = self.cursor, self.later
        what = later.names[truth] if truth == guess else f"{later.names[truth]} taken for {later.names[guess]}"
        share = f"{later.share(truth, guess) * 100:.1f} %"
        if self.earlier:
            arrow = "->" if glyphs() is ASCII else "→"
            figures = f"{self.earlier.share(truth, guess) * 100:.1f} {arrow} {share}"
        else:
            right = " right" if truth == guess else ""
            figures = f"{later.counts[truth][guess]:,} of {later.totals[truth]:,}{right}, {share}"
        line = Text(printable(f"{what}: {figures}"), self.colours.text)
        return cut(line, width)

    def _cell(self, truth: int, guess: int) -> tuple[str, Style]:
        value, cell, right = self.known.values[truth][guess], self.view.cell, truth == guess
        strength = abs(value) if right and not self.earlier else abs(value) / self.known.largest
        words = self._number(truth, guess) if cell > LEAST_CELL else ""
        if len(words) > cell:
            words = ""
        if self.reads.few_colours:
            mark = shade(strength) * (cell - 1) if cell <= LEAST_CELL else words
            return mark.rjust(cell), self.ground + Style(bold=right)
        good = (value > 0) == right if self.earlier else right
        colour = (self.colours.good if good else self.colours.bad) if self.earlier else self._hue(right)
        return words.rjust(cell), heat(strength, colour, self.colours)

    def _hue(self, right: bool) -> str:
        return self.colours.train if right else self.colours.bad

    def _number(self, truth: int, guess: int) -> str:
        if self.earlier:
            number = f"{self.known.values[truth][guess] * 100:+.0f}"
            return "" if number in ("+0", "-0") else number
        count = self.later.counts[truth][guess]
        if not count:
            return ""
        return str(count) if self.reads.counts else f"{self.later.share(truth, guess) * 100:.0f}"


def _view(shown: Square, size: Size, cursor: tuple[int, int], before: View, counts: bool) -> View:
    """As much as there is room for, the cursor in it, moved as little as possible."""
    count, longest = len(shown.names), max(len(name) for name in shown.names) + 1
    digits = max(map(len, map(str, shown.totals))) if counts else 3
    even = next((cell for label in (longest, LEAST_LABEL) if (cell := (size.width - label) // count) > digits), 0)
    cell = min(even or (size.width - LEAST_LABEL) // count, max(MOST_CELL, digits + 1))
    cell = max(digits + 1 if counts else LEAST_CELL, cell)
    all_fit = LEAST_LABEL + count * cell <= size.width
    label = min(longest, max(LEAST_LABEL, size.width - count * cell if all_fit else size.width // 3))
    columns = min(count, max(1, (size.width - label) // cell))
    rows = min(count, max(1, size.height - AROUND))
    return View(
        label, cell, _into(before.top, rows, cursor[0], count), _into(before.left, columns, cursor[1], count), rows, columns
    )


def _into(first: int, shown: int, wanted: int, count: int) -> int:
    """The first of so many that are shown, so that the wanted one is among them."""
    first = min(max(first, wanted - shown + 1), wanted)
    return min(max(first, 0), count - shown)
