"""The first line over compared runs: how many there are, and how many of them train."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

from core.view.comparing import Subject
from core.view.words import count
from tui_trainer.theme import palette
from tui_trainer.widgets.glyphs import cut


class ComparedHeader(Widget):
    DEFAULT_CSS = "ComparedHeader { height: 1; padding: 0 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._shown = (0, 0, 1.0)

    def show(self, subjects: Sequence[Subject], share: float) -> None:
        """``share``: how much of the journals has been read."""
        live = sum(not item.state.ended and item.state.seq >= 0 and not item.state.origin for item in subjects)
        if (shown := (len(subjects), live, share)) != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        colours, (runs, live, share) = palette(self.app.theme_variables), self._shown
        line = Text(f"{count(runs, 'run')} compared", f"bold {colours.text}", end="", no_wrap=True)
        if live:
            line.append(f"  {live} training", colours.good)
        if share < 1:
            line.append(f"  reading history {share:.0%}", colours.warn)
        return cut(line, self.size.width)
