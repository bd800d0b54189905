"""A panel: a bordered part of the run screen that reads some of the State and is drawn again only when that changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, get_args

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.actions import Scope
from tui_trainer.theme import Palette, palette

Reads = TypeVar("Reads")
Page: TypeAlias = Literal["overview", "plots", "classes", "pictures", "details"]
PAGES: tuple[Page, ...] = get_args(Page)
Slot: TypeAlias = Literal["curves", "table", "status", "side", "left", "right"]
"""Part of a page: of the overview the first four, of the others ``left`` and ``right``."""


class Panel(ScrollView, Generic[Reads], can_focus=True):
    """Subclass it in a file of its own under ``panels``: say where it belongs, what it reads, and how that is drawn."""

    NAME: ClassVar[str]
    """Title; the widget's id is made from the class name."""
    PAGE: ClassVar[Page] = "overview"
    SLOT: ClassVar[Slot]
    RANK: ClassVar[int] = 50
    """Order within the slot, the lowest first."""
    EXTRA: ClassVar[bool] = False
    """Shown only where the terminal has room to spare."""
    PERIOD: ClassVar[float] = 0.0
    """Seconds between two redraws at the least."""
    SCOPE: ClassVar[Scope | None] = None
    """Of the actions that it has while it is focused, beside the screen's."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self.run = run
        self._reads: Reads | None = None
        self._shown_at = 0.0
        self._drawn: tuple[object, ...] | None = None
        self._lines: Sequence[Text] = ()
        self._strips: dict[int, Strip] = {}
        """Of the lines that have been in sight."""
        self.border_title = self.NAME

    def reads(self, state: State, now: float) -> Reads:
        """Everything that the picture depends on, as a value that can be compared."""
        raise NotImplementedError

    def draw(self, reads: Reads, size: Size, colours: Palette) -> Sequence[Text]:
        """The lines of the picture, ``size.width`` cells each at the most. More lines than ``size.height`` scroll."""
        raise NotImplementedError

    def title(self, reads: Reads, colours: Palette) -> Text:
        return Text(self.NAME)

    def show(self, state: State, now: float) -> None:
        """Take over what is new; nothing happens when nothing that this panel reads has changed. ``now``: Unix seconds."""
        tick = time.monotonic()
        if self._reads is not None and tick - self._shown_at < self.PERIOD:
            return
        reads = self.reads(state, now)
        if reads != self._reads:
            self._reads, self._shown_at = reads, tick
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())  # when its colours are known, as app.theme is not
        self.watch(self, "show_vertical_scrollbar", self._draw, init=False)

    def on_click(self) -> None:
        self.focus()

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.scrollable_content_region.width
        if line >= len(self._lines):
            return Strip.blank(width).apply_style(self.rich_style)
        if line not in self._strips:
            self._strips[line] = _strip(self._lines[line], width, self.app.console)
        return self._strips[line].apply_style(self.rich_style)

    def _draw(self) -> None:
        size = self.scrollable_content_region.size
        colours = palette(self.app.theme_variables)
        inputs = (self._reads, size, colours)
        if self._reads is None or not size or inputs == self._drawn:
            return
        self._drawn = inputs
        self._lines, self._strips = self.draw(self._reads, size, colours), {}
        self.border_title = self.title(self._reads, colours)
        self.virtual_size = Size(size.width, len(self._lines))
        self.refresh()


def _strip(line: Text, width: int, console: Any) -> Strip:
    line.end = ""
    return Strip(line.render(console)).adjust_cell_length(width)
