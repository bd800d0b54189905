"""The trials of a sweep: one a row, with the values that were tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from core.sweep.trials import State, Trial, short_text
from core.view.words import lower_is_better
from tui_trainer.escape import printable
from tui_trainer.sweep_look import Look
from tui_trainer.theme import Palette
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.row_table import RowTable
from tui_trainer.widgets.run_columns import brief

GLYPHS: dict[State, tuple[str, str]] = {
    "running": ("●", "*"), "interrupted": ("‖", "="), "finished": ("✓", "+"), "pruned": ("■", "#"), "failed": ("✗", "x"),
}  # fmt: skip
WIDEST = 24
"""Cells of a key's column."""
GAP = 2


class Column(NamedTuple):
    title: str
    cell: Callable[[Trial], Text]
    right: bool = True


class TrialTable(RowTable):
    """Keyed by their numbers; ``enter`` is left to the screen."""

    def __init__(self) -> None:
        super().__init__("trial-table")
        self._trials: tuple[Trial, ...] = ()
        self._shape: tuple[object, ...] = ()

    @property
    def selected(self) -> Trial | None:
        return self._trials[self.cursor_row] if 0 <= self.cursor_row < len(self._trials) else None

    def show(self, look: Look, trials: Sequence[Trial], colours: Palette) -> None:
        """Bring the rows up to date; the cursor stays on its trial."""
        selected = self.selected.number if self.selected else None
        columns = columns_of(look, colours)
        cells = [[column.cell(trial) for column in columns] for trial in trials]
        widths = _fitting(columns, cells, self.content_size.width - self.styles.scrollbar_size_vertical)
        shape = tuple(column.title for column in columns), tuple(widths), tuple(trial.number for trial in trials)
        self._trials = tuple(trials)
        if shape == self._shape:
            self._update(columns, cells, widths)
        else:
            self._shape = shape
            self._rebuild(columns, cells, widths, selected)

    def _rebuild(
        self, columns: Sequence[Column], cells: Sequence[Sequence[Text]], widths: Sequence[int], selected: int | None
    ) -> None:
        top = self.scroll_y
        self.clear(columns=True)
        # By place: a searched key may be called as another column is.
        for place, (column, width) in enumerate(zip(columns, widths, strict=False)):
            self.add_column(_set(Text(column.title), width, column.right), width=width + GAP, key=str(place))
        for trial, row in zip(self._trials, cells, strict=True):
            shown = zip(row, widths, columns, strict=False)
            self.add_row(*(_set(cell, width, column.right) for cell, width, column in shown), key=str(trial.number))
        numbers = [trial.number for trial in self._trials]
        if selected in numbers:
            self.move_cursor(row=numbers.index(selected), scroll=False)
            self.scroll_to(y=top, animate=False)

    def _update(self, columns: Sequence[Column], cells: Sequence[Sequence[Text]], widths: Sequence[int]) -> None:
        for trial, row in zip(self._trials, cells, strict=True):
            for place, (cell, width, column) in enumerate(zip(row, widths, columns, strict=False)):
                text, key = _set(cell, width, column.right), str(trial.number)
                shown: Text = self.get_cell(key, str(place))
                if (shown, shown.style) != (text, text.style):
                    self.update_cell(key, str(place), text)


def columns_of(look: Look, colours: Palette) -> list[Column]:
    best = look.best.number if look.best else 0
    return [
        Column("#", lambda trial: Text(str(trial.number), colours.muted)),
        Column("state", lambda trial: badge(trial.state, colours), right=False),
        Column(f"{printable(look.file.metric)} ", lambda trial: _value(trial, look.file.metric, trial.number == best, colours)),
        Column("epoch", lambda trial: Text(f"{trial.epoch}/{trial.epochs}", colours.text)),
        Column("trained", lambda trial: Text(brief(trial.seconds) if trial.seconds else "", colours.text)),
        *(Column(printable(key), _of_key(key, colours)) for key in look.keys),
    ]


def _of_key(key: str, colours: Palette) -> Callable[[Trial], Text]:
    return lambda trial: Text(printable(short_text(trial.values[key])) if key in trial.values else "", colours.text)


def _value(trial: Trial, metric: str, best: bool, colours: Palette) -> Text:
    """With room for the mark of the best."""
    if trial.value is None:
        return Text("")
    words = short(trial.value) if lower_is_better(metric) else f"{100 * trial.value:.2f}%"
    colour = colours.text if trial.state == "finished" else colours.muted
    return Text(f"{words}*", f"bold {colours.good}") if best else Text(f"{words} ", colour)


def badge(state: State, colours: Palette) -> Text:
    colour = {
        "running": colours.good, "interrupted": colours.warn, "pruned": colours.muted, "failed": colours.bad,
    }.get(state, colours.text)  # fmt: skip
    return Text(f"{GLYPHS[state][glyphs() is ASCII]} {state}", colour)


def _fitting(columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int) -> list[int]:
    """Of as many columns as there is room for."""
    found, taken = list[int](), 0
    for place, column in enumerate(columns):
        own = max([cell_len(column.title), *(row[place].cell_len for row in cells)])
        own = min(own, WIDEST)
        taken += own + GAP
        if taken - GAP > width and found:
            break
        found.append(own)
    return found


def _set(text: Text, width: int, right: bool) -> Text:
    text.truncate(width, overflow="ellipsis")
    if right:
        text.align("right", width)
    return text
