"""The list of runs on Home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from tui_trainer.listing import ListedRun
from tui_trainer.run_facts import ORDERS, Order
from tui_trainer.theme import Palette
from tui_trainer.widgets.row_table import RowTable
from tui_trainer.widgets.run_columns import Placed, Row, placed


class RunTable(RowTable):
    """One row a run, keyed by its name; ``enter`` is left to the screen."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._listed: tuple[ListedRun, ...] = ()
        self._placed: list[Placed] = []
        self._order = Order()
        self.marked = set[str]()
        """Names."""

    @property
    def selected(self) -> ListedRun | None:
        """The run under the cursor."""
        return self._listed[self.cursor_row] if 0 <= self.cursor_row < len(self._listed) else None

    @property
    def orders(self) -> list[str]:
        """The columns that are there and can be ordered by."""
        return [place.column.title for place in self._placed if place.column.title in ORDERS]

    def select(self, name: str) -> bool:
        """Whether there is such a run."""
        names = [item.run.name for item in self._listed]
        if name in names:
            self.move_cursor(row=names.index(name))
        return name in names

    def show(self, listed: Sequence[ListedRun], now: float, colours: Palette, order: Order) -> None:
        """Bring the rows up to date; the cursor stays on its run, and cells that are as before are not drawn again."""
        places = placed(self._width_for(len(listed)))
        before = self._placed, self._order, [item.run.name for item in self._listed]
        moved = before != (places, order, [item.run.name for item in listed])
        selected = self.selected
        self._placed, self._order, self._listed = places, order, tuple(listed)
        rows = [[place.cell(row) for place in places] for row in self._rows_of(now, colours)]
        if moved:
            self._rebuild(rows, selected)
        else:
            self._update(rows)

    def _rows_of(self, now: float, colours: Palette) -> Iterator[Row]:
        for item in self._listed:
            yield Row(item, now, colours, item.run.name in self.marked if self.marked else None)

    def _width_for(self, runs: int) -> int:
        """Columns of the terminal that rows have beside the scrollbar, which comes only once they are there."""
        width, height = self.content_size
        return width - (self.styles.scrollbar_size_vertical if self.header_height + runs > height else 0)

    def _rebuild(self, rows: list[list[Text]], selected: ListedRun | None) -> None:
        top = self.scroll_y
        self.clear(columns=True)
        for place in self._placed:
            self.add_column(place.label(self._order), width=place.width + place.gap, key=place.column.title)
        for item, cells in zip(self._listed, rows, strict=True):
            self.add_row(*cells, key=item.run.name)
        names = [item.run.name for item in self._listed]
        if selected and selected.run.name in names:
            self.move_cursor(row=names.index(selected.run.name), scroll=False)
            self.scroll_to(y=top, animate=False)

    def _update(self, rows: list[list[Text]]) -> None:
        for item, cells in zip(self._listed, rows, strict=True):
            for place, text in zip(self._placed, cells, strict=True):
                shown: Text = self.get_cell(item.run.name, place.column.title)
                if (shown, shown.style) != (text, text.style):  # Text compares without its base style
                    self.update_cell(item.run.name, place.column.title, text)
