"""A list to choose one thing from, by arrow keys or by the key that stands before it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_trainer.escape import printable
from tui_trainer.screens.dialog import Dialog
from tui_trainer.screens.question import Entry
from tui_trainer.theme import palette
from tui_trainer.widgets.too_small import TooSmall


class PickScreen(Dialog[str | None]):
    """Gives back the id of the entry, or None. The one ``at`` that place is selected at first."""

    CSS_PATH = "pick.tcss"
    BINDINGS = [Binding("escape", "leave", "Cancel", show=False)]

    def __init__(self, title: str, entries: Sequence[Entry], hint: str = "enter chooses, esc leaves", at: int = 0) -> None:
        super().__init__()
        self._title, self._entries, self._hint, self._at = title, tuple(entries), hint, at

    def compose(self) -> ComposeResult:
        with Vertical(id="pick") as box:
            box.border_title = Text(printable(self._title))
            box.border_subtitle = Text(self._hint)
            yield OptionList(*(Option(self._line(entry), id=str(place)) for place, entry in enumerate(self._entries)))
        yield TooSmall()

    def _line(self, entry: Entry) -> Text:
        colours, width = palette(self.app.theme_variables), max(cell_len(printable(item.label)) for item in self._entries)
        label, detail = colours.text, colours.muted
        if entry.why_not:
            label = detail = colours.faint
        key = f"{entry.key}  " if any(item.key for item in self._entries) else ""
        return Text.assemble(
            (key, colours.held_out),
            (set_cell_size(printable(entry.label), width), label),
            (f"  {printable(entry.why_not or entry.detail)}", detail),
            no_wrap=True,
            overflow="ellipsis",
        )

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._at

    def on_key(self, event: events.Key) -> None:
        chosen = next((entry for entry in self._entries if entry.key and entry.key == event.key), None)
        if chosen:
            event.stop()
            self.dismiss(chosen.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._entries[event.option_index].id)

    def action_leave(self) -> None:
        self.dismiss(None)
