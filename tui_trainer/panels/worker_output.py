from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import chop_cells
from rich.text import Text
from textual import events
from textual.geometry import Size

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.bindings import bindings
from tui_trainer.theme import Palette
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import wrap
from tui_trainer.worker_log import KEPT_LINES, Tail

OF_PROGRAM = "what its own program prints is where that was started; an error that ends it is told here"


class Output(NamedTuple):
    lines: tuple[str, ...]
    trouble: str
    searched: str
    typing: bool
    match: int
    """The line of the match that is looked at, or -1."""


class WorkerOutput(Panel[Output]):
    """Everything that the worker's process printed, native code and children of it included; it follows the newest line unless
    it was scrolled up."""

    NAME = "worker.log"
    PAGE = "details"
    SLOT = "right"
    RANK = 30
    UNTOLD = "whoever trains this run has its output"
    SCOPES = ("log",)
    BINDINGS = bindings("log")

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run)
        self._tail = Tail(run.log)
        self._searched, self._before, self._typing, self._match = "", "", False, -1

    def reads(self, state: State, now: float) -> Output:
        gone = self._tail.poll()
        self._match = max(self._match - gone, -1)
        trouble = self._tail.trouble or (OF_PROGRAM if state.program else "")
        return Output(self._tail.lines, trouble, self._searched, self._typing, self._match)

    def draw(self, reads: Output, size: Size, colours: Palette) -> Sequence[Text]:
        if not reads.lines:
            words = reads.trouble or "the worker has printed nothing"
            return [Text(line, colours.muted) for line in wrap(words, max(1, size.width))]
        lines = list[Text]()
        self._places = list[int]()
        for number, line in enumerate(reads.lines):
            self._places.append(len(lines))
            parts = [Text(part, colours.text) for part in _chopped(line, size.width)]
            if reads.searched and _found(reads.searched, line):
                _mark(parts, reads.searched, f"{colours.warn} {'reverse' if number == reads.match else 'underline'}")
            lines += parts
        return lines

    def title(self, reads: Output, colours: Palette) -> Text:
        title = Text(self.NAME)
        if reads.typing or reads.searched:
            title.append(f"  /{reads.searched}{'_' if reads.typing else ''}", colours.held_out)
        if reads.searched:
            matches = _matches(reads)
            place = f"{matches.index(reads.match) + 1} of " if reads.match in matches else ""
            title.append(f"  {place}{len(matches)}", colours.text if matches else colours.bad)
        return title

    def on_mount(self) -> None:
        self.anchor()

    @property
    def takes_text(self) -> bool:
        return self._typing

    def on_key(self, event: events.Key) -> None:
        """While a text is typed every key is part of it."""
        if not self._typing:
            return
        event.stop()
        event.prevent_default()
        if event.key in ("enter", "escape"):
            self._end_typing(event.key == "enter")
        elif event.key == "backspace":
            self._type(self._searched[:-1])
        elif event.is_printable and event.character:
            self._type(self._searched + event.character)

    def action_search(self) -> None:
        self._before, self._typing = self._searched, True
        self._type("")

    def action_next_match(self) -> None:
        self._go(1)

    def action_previous_match(self) -> None:
        self._go(-1)

    def _type(self, text: str) -> None:
        self._searched, self._match = text, -1
        self._again()
        self._go(-1)  # the newest one first

    def _end_typing(self, keep: bool) -> None:
        self._typing = False
        if not keep:
            self._searched, self._match = self._before, -1
        self._again()

    def _go(self, step: int) -> None:
        matches = _matches(self._reads) if self._reads else []
        if not matches:
            return
        if step < 0:
            self._match = next((number for number in reversed(matches) if 0 <= number < self._match), matches[-1])
        else:
            self._match = next((number for number in matches if number > self._match), matches[0])
        self._again()
        self.scroll_to(y=self._places[self._match] - self.scrollable_content_region.height // 2, animate=False)

    def _again(self) -> None:
        if self._reads is not None:
            self._reads = self._reads._replace(searched=self._searched, typing=self._typing, match=self._match)
            self._draw()


def _matches(reads: Output) -> list[int]:
    return [number for number, line in enumerate(reads.lines) if reads.searched and _found(reads.searched, line)]


def _found(searched: str, line: str) -> bool:
    """In any case, as ``less -i`` has it."""
    return searched.lower() in line.lower()


def _mark(parts: list[Text], searched: str, style: str) -> None:
    for part in parts:
        plain, start = part.plain.lower(), 0
        while (start := plain.find(searched.lower(), start)) >= 0:
            part.stylize(style, start, start + len(searched))
            start += len(searched)


@lru_cache(maxsize=2 * KEPT_LINES)
def _chopped(line: str, width: int) -> tuple[str, ...]:
    return (line,) if len(line) <= width and line.isascii() else tuple(chop_cells(line, width)) or ("",)
