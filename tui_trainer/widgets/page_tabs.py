"""The run screen's second line: its pages, with the keys that show them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from tui_trainer.theme import palette
from tui_trainer.widgets.panel import PAGES

GAP = 2


class PageTabs(Widget):
    """One row. A click on a name posts ``Chosen``."""

    DEFAULT_CSS = "PageTabs { height: 1; padding: 0 1; background: $surface; }"

    class Chosen(Message):
        def __init__(self, page: str) -> None:
            super().__init__()
            self.page = page

    def __init__(self, pages: Sequence[str], known: Sequence[str] = PAGES) -> None:
        """``known``: all that there may be, in the order of their keys."""
        super().__init__(classes="" if len(pages) > 1 else "alone")
        self.pages, self.known = pages, known
        self._shown = pages[0]

    def show(self, page: str) -> None:
        self._shown = page
        self.refresh()

    def render(self) -> Text:
        colours, line = palette(self.app.theme_variables), Text(no_wrap=True, end="")
        for page in self.pages:
            shown = page == self._shown
            line.append(f"{self.known.index(page) + 1} ", colours.text if shown else colours.muted)
            line.append(page, f"bold underline {colours.text}" if shown else colours.muted)
            line.append(" " * GAP)
        return line

    def on_click(self, event: events.Click) -> None:
        left = 1  # padding
        for page in self.pages:
            right = left + len(page) + 2 + GAP
            if left <= event.x < right:
                self.post_message(self.Chosen(page))
            left = right
