"""A panel: a bordered part of the run screen that reads some of the State and is drawn again only when that changed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Generic, Literal, Self, TypeAlias, TypeVar, get_args

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.actions import Scope
from tui_trainer.bindings import rebind
from tui_trainer.theme import Palette, palette
from tui_trainer.widgets.wrapping import wrap

Reads = TypeVar("Reads")
Page: TypeAlias = Literal["overview", "plots", "classes", "pictures", "details"]
PAGES: tuple[Page, ...] = get_args(Page)
Slot: TypeAlias = Literal["curves", "table", "status", "side", "left", "right"]
SLOTS: tuple[Slot, ...] = get_args(Slot)
"""Parts of a page, in the order in which one comes to them: the first four of the overview, the others of every other page."""


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
    SCOPES: ClassVar[tuple[Scope, ...]] = ()
    """Of the actions that it has while it is focused, beside the screen's."""
    COLOURED: ClassVar[bool] = False
    """Whether the lines that ``draw`` gives have their background."""
    HEAD: ClassVar[int] = 0
    """Lines at the top that do not scroll."""
    UNTOLD: ClassVar[str] = ""
    """What stands here in a run of others, whose files tell nothing of this."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self.run = run
        self._reads: Reads | None = None
        self._untold = ""
        self._shown_at = 0.0
        self._drawn: tuple[object, ...] | None = None
        self._lines: Sequence[Text | Strip] = ()
        self._strips: dict[int, Strip] = {}
        """Of the lines that have been in view."""
        self._style = Style()
        self._titles: tuple[Text | None, Text | None] = (None, None)
        self._part: Region | None = None
        """While only that is to be painted anew."""
        self._painting = False
        self.border_title = self.NAME

    def reads(self, state: State, now: float) -> Reads:
        """Everything that the picture depends on, as a value that can be compared."""
        raise NotImplementedError

    def draw(self, reads: Reads, size: Size, colours: Palette) -> Sequence[Text | Strip]:
        """The lines of the picture, ``size.width`` cells each at the most. More lines than ``size.height`` scroll."""
        raise NotImplementedError

    def values(self) -> Iterable[tuple[str, str]]:
        """What can be copied from it, each with what it is called."""
        return ()

    def title(self, reads: Reads, colours: Palette) -> Text:
        return Text(self.NAME)

    def subtitle(self, reads: Reads, colours: Palette) -> Text | None:
        """In the lower border."""
        return None

    @property
    def heading(self) -> str:
        """What it is called."""
        return self.NAME

    @property
    def busy(self) -> bool:
        """Whether it waits for something that is read or worked out beside the screen."""
        return False

    def show(self, state: State, now: float) -> None:
        """Take over what is new; nothing happens when nothing that this panel reads has changed. ``now``: Unix seconds."""
        tick = time.monotonic()
        if self._reads is not None and tick - self._shown_at < self.PERIOD:
            return
        self._untold = self.UNTOLD if state.origin else ""
        reads = None if self._untold else self.reads(state, now)
        if self._untold or reads != self._reads:
            self._reads, self._shown_at = reads, tick
            self._draw()

    def look_again(self, state: State) -> None:
        """At once, since what a person wants to see has changed."""
        self._shown_at = 0.0
        self.show(state, 0.0)

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def on_mount(self) -> None:
        rebind(self, *self.SCOPES)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw())  # when its colours are known, as app.theme is not
        self.watch(self, "show_vertical_scrollbar", self._draw, init=False)

    def on_click(self, event: events.Click) -> None:
        self.focus()

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._drawn is None:  # before its first Resize has come, so that the first frame is not an empty one
            self._painting = True
            self._draw()
            self._painting = False
        self._style = self.rich_style  # once, since it takes longer than a line
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        line = y if y < self.HEAD else self.scroll_offset.y + y
        strip = self._strip(line)
        return strip if self.COLOURED and line < len(self._lines) else strip.apply_style(self._style)

    def _strip(self, line: int) -> Strip:
        width = self.scrollable_content_region.width
        if line >= len(self._lines):
            return Strip.blank(width)
        if line not in self._strips:
            self._strips[line] = _rendered(self._lines[line], width, self.app.console)
        return self._strips[line]

    def _draw(self) -> None:
        size = self.scrollable_content_region.size
        colours = palette(self.app.theme_variables)
        inputs = (self._untold or self._reads, size, colours)
        if inputs[0] is None or not size or inputs == self._drawn:
            return
        same_place = self._drawn is not None and self._drawn[1:] == inputs[1:]
        self._drawn, before = inputs, self._lines
        self._lines = [_styled(line) for line in self._picture(size, colours)]
        self._span(Size(size.width, len(self._lines)))
        if same_place:
            self._repaint(before)
        else:
            self._strips = {}
            self.refresh()
        if self._reads is not None:
            self._put_titles(self.title(self._reads, colours), self.subtitle(self._reads, colours))

    def _picture(self, size: Size, colours: Palette) -> Sequence[Text | Strip]:
        if self._reads is None:
            return [Text(line, colours.muted) for line in wrap(self._untold, size.width)]
        return self.draw(self._reads, size, colours)

    def _span(self, size: Size) -> None:
        """Lines of this size. The whole screen is laid out anew for it where a scroll bar may come or go."""
        if size.height <= self.scrollable_content_region.height and not self.show_vertical_scrollbar:
            self.set_reactive(Panel.virtual_size, size)
        else:
            self.virtual_size = size

    def _repaint(self, before: Sequence[Text | Strip]) -> None:
        """The lines that are not as they were: to paint them takes longer than to compare them, and so does sending them."""
        last = max(len(before), len(self._lines))
        changed = [place for place in range(last) if _at(before, place) != _at(self._lines, place)]
        for place in changed:
            self._strips.pop(place, None)
        width, height = self.scrollable_content_region.size
        rows = (place if place < self.HEAD else place - self.scroll_offset.y for place in changed)
        if regions := [Region(0, row, width, 1) for row in rows if 0 <= row < height]:
            self.refresh(*regions)

    def _put_titles(self, title: Text, subtitle: Text | None) -> None:
        """Where they have changed; Textual would paint the whole panel anew."""
        outer, (above, _, _, left) = self.outer_size, self.gutter
        for place, text in ((0, title), (1, subtitle)):
            if text != self._titles[place]:
                self._part = Region(-left, (outer.height - 1) * place - above, outer.width, 1)
                if place:
                    self.border_subtitle = text
                else:
                    self.border_title = text
        self._titles, self._part = (title, subtitle), None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._painting and not layout and not recompose:
            return self  # all of it is painted just now
        if self._part and not regions and repaint and not layout and not recompose:
            regions = (self._part,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


def _at(lines: Sequence[Text | Strip], place: int) -> Text | Strip | None:
    return lines[place] if place < len(lines) else None


def _styled(line: Text | Strip) -> Text | Strip:
    """rich neither renders nor compares the style of a text as a whole where no part of it has one of its own."""
    if isinstance(line, Text) and line.style and not line.spans:
        line.stylize(line.style)
    return line


def _rendered(line: Text | Strip, width: int, console: Any) -> Strip:
    if isinstance(line, Strip):
        return line.adjust_cell_length(width)
    line.end = ""
    return Strip(line.render(console)).adjust_cell_length(width)
