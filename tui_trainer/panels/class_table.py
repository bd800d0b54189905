from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

from rich.text import Text
from textual import events
from textual.geometry import Size

from core.run.folder import RunFolder
from core.view.state import ClassHistory, ClassScore, Measurement, State
from tui_trainer.bindings import bindings
from tui_trainer.comparison import Compared
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.comparing import ComparingPanel
from tui_trainer.widgets.counts import no_classes
from tui_trainer.widgets.glyphs import cut, glyphs
from tui_trainer.widgets.lines import Lines
from tui_trainer.widgets.sparkline import fitted, sparkline

Order: TypeAlias = Literal["class", "accuracy", "change", "images"]
ORDERS: tuple[Order, ...] = get_args(Order)
SHARE, CHANGE, IMAGES = 6, 7, 7
"""Columns, with the gap before them."""
MOST_LOOKED_AT = 5_000
"""Accuracies, for the range that all small curves share."""
LEAST_SPARK, MOST_SPARK = 6, 48


class Table(NamedTuple):
    compared: Compared
    history: ClassHistory
    classes: tuple[str, ...]
    split: str
    """Empty where none is measured before the end."""
    order: Order
    reverse: bool
    none: str = ""
    """Why there are no classes."""


class Row(NamedTuple):
    number: int
    """Of the class, from 0."""
    name: str
    before: float | None
    accuracy: float | None
    change: float | None
    images: int


class Columns(NamedTuple):
    """Widths; what is 0 is left out."""

    name: int
    spark: int
    before: int
    images: int


class ClassTable(ComparingPanel[Table]):
    """Each class: its accuracy over the epochs, now, its change and its images; or two epochs and their difference."""

    NAME = "by class"
    SLOT = "left"
    RANK = 10
    HEAD = 1
    UNTOLD = "these files tell of no classes: nobody can say from them which images were taken for which"
    SCOPES = ("classes", "table")
    BINDINGS = bindings("table")
    HINT = (("sort_next", "order"), ("compare", "compare"))
    HINT_COMPARED = (
        ("earlier_back earlier_on", "first"), ("later_back later_on", "second"), ("compare", "ends it"),
    )  # fmt: skip

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run)
        self._order: Order = "class"
        self._reverse = False
        self._places: list[tuple[int, Order]] = []
        """Where the columns begin, for a click on the head."""

    def reads(self, state: State, now: float) -> Table:
        split = "" if state.unwatched else state.split
        history = state.class_history.get(state.split, ClassHistory())
        return Table(self.comparison.look(state), history, state.classes, split, self._order, self._reverse, no_classes(state))

    def draw(self, reads: Table, size: Size, colours: Palette) -> Sequence[Text]:
        rows = _sorted(_rows(reads), reads.order, reads.reverse)
        if not rows:
            return [Text(reads.none, colours.muted)]
        columns = _columns(rows, reads, size.width)
        head, self._places = _head(reads, columns, colours)
        drawn = Drawn(rows, reads, columns, colours)
        return Lines(head, len(rows), drawn.line)

    def title(self, reads: Table, colours: Palette) -> Text:
        title, compared = Text(f"{self.NAME}  "), reads.compared
        if compared.note:
            return title.append(compared.note, colours.warn)
        if not reads.split:
            return title.append("test, at the end" if compared.later else "test comes at the end", colours.muted)
        if reads.split == "test":
            title.append("TEST  ", f"bold {colours.warn}")
        if compared.on:
            return title.append(f"epoch {compared.earlier_epoch} against {compared.later_epoch}", colours.text)
        if reads.split != "test":
            title.append("validation  ", colours.muted)
        return title.append(f"epoch {compared.later_epoch}" if compared.later else "not measured", colours.muted)

    def on_click(self, event: events.Click | None = None) -> None:
        """Beside the panel's own, which Textual calls as well."""
        offset = event.get_content_offset(self) if event else None
        if offset and offset.y == 0 and self._places:
            order = [name for start, name in self._places if start <= offset.x][-1]
            self._sort(order, reverse=order == self._order and not self._reverse)

    def action_sort_next(self) -> None:
        self._sort(ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)], reverse=False)

    def action_sort_reverse(self) -> None:
        self._sort(self._order, not self._reverse)

    def _sort(self, order: Order, reverse: bool) -> None:
        self._order, self._reverse = order, reverse
        self.scroll_home(animate=False)
        self.show(self._state, self._now)


class Drawn:
    """The rows of a table as lines."""

    def __init__(self, rows: Sequence[Row], reads: Table, columns: Columns, colours: Palette) -> None:
        self.rows, self.columns, self.colours = rows, columns, colours
        self.points = fitted(reads.history.points, columns.spark)
        seldom = max(1, len(self.points) * len(rows) // MOST_LOOKED_AT)
        known = [value for point in self.points for row in rows[::seldom] if (value := point.accuracy(row.number)) is not None]
        self.low, self.high = min(known, default=0.0), max(known, default=1.0)

    def line(self, place: int) -> Text:
        row, columns, colours = self.rows[place], self.columns, self.colours
        line = Text(printable(row.name), colours.text)
        cut(line, columns.name, pad=True)
        if columns.spark:
            values = [point.accuracy(row.number) for point in self.points]
            line.append(" " + sparkline(values, self.low, self.high).ljust(columns.spark), colours.held_out)
        if columns.before:
            line.append(_share(row.before), colours.muted)
        line.append(_share(row.accuracy), colours.text if row.accuracy is not None else colours.muted)
        line.append_text(_change(row.change, colours))
        if columns.images:
            line.append(f"{row.images:,}".rjust(IMAGES) if row.images else " " * IMAGES, colours.muted)
        return line


def _rows(reads: Table) -> list[Row]:
    compared = reads.compared
    if compared.later is None and not compared.on:
        return [Row(number, name, None, None, None, 0) for number, name in enumerate(reads.classes)]
    earlier = compared.earlier.classes if compared.earlier else ()
    before = {number: score.accuracy for number, score in enumerate(earlier)}
    scores = _scores(compared.later, reads.classes)
    return [
        Row(
            number, score.name, before.get(number), score.accuracy,
            _difference(before.get(number), score.accuracy) if compared.on else score.change, score.images,
        )
        for number, score in enumerate(scores)
    ]  # fmt: skip


def _scores(measurement: Measurement | None, classes: tuple[str, ...]) -> Sequence[ClassScore]:
    if measurement and measurement.classes:
        return measurement.classes
    return [ClassScore(name, 0, 0) for name in classes]


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _sorted(rows: list[Row], order: Order, reverse: bool) -> list[Row]:
    """What needs a look comes first: the lowest accuracy, the greatest loss, the most images. Unknown values are last."""
    if order == "class":
        return rows[::-1] if reverse else rows
    values = {row.number: float(-row.images) if order == "images" else getattr(row, order) for row in rows}
    known = [row for row in rows if values[row.number] is not None]
    unknown = [row for row in rows if values[row.number] is None]
    known.sort(key=lambda row: float(values[row.number] or 0.0))
    return [*(known[::-1] if reverse else known), *unknown]


def _columns(rows: Sequence[Row], reads: Table, width: int) -> Columns:
    before = SHARE if reads.compared.on else 0
    numbers = before + SHARE + CHANGE
    longest = max(len(row.name) for row in rows)
    name = max(5, min(longest, width // 2, width - numbers))
    images = IMAGES if width - name - numbers - IMAGES >= 0 else 0
    left = width - name - numbers - images - 1
    points = len(reads.history.points)
    return Columns(
        name, min(left, MOST_SPARK, max(points, LEAST_SPARK)) if left >= LEAST_SPARK and points > 1 else 0, before, images
    )


def _head(reads: Table, columns: Columns, colours: Palette) -> tuple[Text, list[tuple[int, Order]]]:
    compared = reads.compared
    head, places = Text("class".ljust(columns.name), colours.muted), list[tuple[int, Order]]([(0, "class")])
    if columns.spark:
        head.append(" " + "epochs"[: columns.spark].ljust(columns.spark))
    if columns.before:
        head.append(f"ep {compared.earlier_epoch}".rjust(SHARE)[-SHARE:])
    cells: list[tuple[Order, str, int]] = [
        ("accuracy", f"ep {compared.later_epoch}" if columns.before else "%", SHARE), ("change", "change", CHANGE),
    ]  # fmt: skip
    for order, words, width in (*cells, *([("images", "images", IMAGES)] if columns.images else ())):
        places.append((head.cell_len, order))
        head.append(words[: width - 1].rjust(width))
    for start, order in places:
        if order == reads.order:
            _underline(head, start)
    return head, places


def _underline(head: Text, start: int) -> None:
    """The word that the table is sorted by."""
    text = head.plain[start:]
    first = start + len(text) - len(text.lstrip())
    word = text.strip().split("  ")[0]
    head.stylize("bold underline", first, first + len(word))


def _share(value: float | None) -> str:
    return "-".rjust(SHARE) if value is None else f"{value * 100:{SHARE}.1f}"


def _change(change: float | None, colours: Palette) -> Text:
    if change is None:
        return Text(" " * CHANGE)
    if abs(change) < 0.0005:
        return Text("0.0".rjust(CHANGE), colours.muted)
    sign, colour = (glyphs().better, colours.good) if change > 0 else (glyphs().worse, colours.bad)
    return Text(f"{sign}{abs(change) * 100:.1f}".rjust(CHANGE), colour)
