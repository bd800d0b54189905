"""The list of runs on Home."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.binding import Binding
from textual.widgets import DataTable

from tui_trainer.listing import ListedRun
from tui_trainer.theme import Palette
from tui_trainer.widgets.run_columns import Placed, Row, placed


class RunTable(DataTable[Text], inherit_bindings=False):
    """One row a run, keyed by its name; ``enter`` is left to the screen."""

    BINDINGS = [
        Binding("up,k", "cursor_up", show=False),
        Binding("down,j", "cursor_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(cursor_type="row", cursor_foreground_priority="renderable", cell_padding=0, id=id)
        self._listed: tuple[ListedRun, ...] = ()
        self._placed: list[Placed] = []

    @property
    def selected(self) -> ListedRun | None:
        """The run under the cursor."""
        return self._listed[self.cursor_row] if 0 <= self.cursor_row < len(self._listed) else None

    def show(self, listed: Sequence[ListedRun], now: float, colours: Palette) -> None:
        """Bring the rows up to date; the cursor stays on its run, and cells that are as before are not drawn again."""
        places = placed(self._width_for(len(listed)))
        moved = places != self._placed or [item.run.name for item in listed] != [item.run.name for item in self._listed]
        selected = self.selected
        self._placed, self._listed = places, tuple(listed)
        rows = [[place.cell(Row(item, now, colours)) for place in places] for item in listed]
        if moved:
            self._rebuild(rows, selected)
        else:
            self._update(rows)

    def _width_for(self, runs: int) -> int:
        """Columns of the terminal that rows have beside the scrollbar, which comes only once they are there."""
        width, height = self.content_size
        return width - (self.styles.scrollbar_size_vertical if self.header_height + runs > height else 0)

    def _rebuild(self, rows: list[list[Text]], selected: ListedRun | None) -> None:
        top = self.scroll_y
        self.clear(columns=True)
        for place in self._placed:
            self.add_column(place.label(), width=place.width + place.gap, key=place.column.title)
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
