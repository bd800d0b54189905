from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from rich.text import Text
from textual import work
from textual.geometry import Size

from core.checkpoint import WEIGHTS
from core.errors import UserError
from core.remote.address import parse
from core.run.checkpoints import export
from core.run.folder import RunFolder, whereabouts
from core.view.readings import format_bytes
from core.view.state import SavedCheckpoint, State
from tui_trainer.bindings import bindings
from tui_trainer.escape import printable
from tui_trainer.screens.steering import SteeringScreen
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.panel import Panel

STEP, EPOCH, SIZE, AGE = 10, 7, 10, 9
"""Columns with the gap before them."""
LEAST_NOTE = 10


class Row(NamedTuple):
    saved: SavedCheckpoint
    age: str


class Listed(NamedTuple):
    rows: tuple[Row, ...]
    """The newest first."""
    chosen: str


class Checkpoints(Panel[Listed]):
    """The checkpoints that the run has, and what can be done with the selected one."""

    NAME = "checkpoints"
    PAGE = "details"
    SLOT = "right"
    RANK = 10
    UNTOLD = "these files tell of no checkpoints"
    SCOPES = ("checkpoints",)
    BINDINGS = bindings("checkpoints")

    _chosen = ""
    """Empty: the newest, whichever that is."""

    def reads(self, state: State, now: float) -> Listed:
        rows = tuple(Row(saved, _age(now - saved.time)) for saved in reversed(state.checkpoints))
        names = [row.saved.checkpoint for row in rows]
        return Listed(rows, self._chosen if self._chosen in names else next(iter(names), ""))

    def draw(self, reads: Listed, size: Size, colours: Palette) -> Sequence[Text]:
        if not reads.rows:
            return [Text("none yet", colours.muted)]
        head = Text("  " + _columns("step", "epoch", "size", "age", size.width - 2), colours.muted)
        return [head, *(_line(row, row.saved.checkpoint == reads.chosen, size.width, colours) for row in reads.rows)]

    @property
    def chosen(self) -> SavedCheckpoint | None:
        """The selected one."""
        if self._reads is None:
            return None
        return next((row.saved for row in self._reads.rows if row.saved.checkpoint == self._reads.chosen), None)

    def values(self) -> Iterator[tuple[str, str]]:
        if chosen := self.chosen:
            yield "checkpoint", chosen.checkpoint
            here = RunFolder(self.run.path.absolute())
            yield "its folder", whereabouts(here, f"checkpoints/{chosen.checkpoint}")

    def action_next_checkpoint(self) -> None:
        self._choose(1)

    def action_previous_checkpoint(self) -> None:
        self._choose(-1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The past cannot be steered."""
        return action != "go_back" or isinstance(self.screen, SteeringScreen)

    def action_go_back(self) -> None:
        if self.chosen is not None:
            cast(SteeringScreen, self.screen).rewind_to(self.chosen.checkpoint)

    def action_export(self) -> None:
        if self.chosen is None:
            return
        if address := cast(SteeringScreen, self.screen).state.address:
            words = parse(address).copy_of(f"checkpoints/{self.chosen.checkpoint}/{WEIGHTS}")
            self.app.notify(printable(f"they lie on the other machine: {words}"), severity="warning", markup=False)
        else:
            self._export(self.chosen.checkpoint)

    @work(thread=True, exclusive=True)
    def _export(self, checkpoint: str) -> None:
        """Beside the screen, since every byte is held against its hash."""
        try:
            words, severity = f"copied to {export(self.run, checkpoint, Path())}", "information"
        except UserError as error:
            words, severity = str(error), "error"
        self.app.call_from_thread(self.notify, printable(words), severity=severity, markup=False)

    def _choose(self, step: int) -> None:
        if self._reads is None or not self._reads.rows:
            return
        names = [row.saved.checkpoint for row in self._reads.rows]
        place = min(max(names.index(self._reads.chosen) + step, 0), len(names) - 1)
        self._chosen = names[place]
        self._reads = self._reads._replace(chosen=self._chosen)
        self._draw()
        self._show_line(place + 1)

    def _show_line(self, line: int) -> None:
        """Scroll as far as it takes; the head comes with the first line."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if line <= top:
            self.scroll_to(y=0 if line == 1 else line, animate=False)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False)


def _line(row: Row, chosen: bool, width: int, colours: Palette) -> Text:
    saved, pointer = row.saved, ">" if glyphs() is ASCII else "▸"
    size = format_bytes(saved.bytes) if saved.bytes else "-"
    line = Text(f"{pointer} " if chosen else "  ", colours.held_out)
    columns = _columns(f"{saved.step:,}", str(saved.epoch), size, row.age, width - 2)
    line.append(columns, f"bold {colours.text}" if chosen else colours.text)
    note = Text("  ")
    if saved.best:
        note.append("best ", colours.good)
    note.append(printable(saved.name), colours.held_out)
    line.append_text(note)
    line.truncate(width, overflow="ellipsis")
    return line


def _columns(step: str, epoch: str, size: str, age: str, width: int) -> str:
    """As many of them as leave room for a name."""
    text = step.rjust(STEP)
    for column, cells in ((age, AGE), (epoch, EPOCH), (size, SIZE)):
        if len(text) + cells + LEAST_NOTE <= width:
            text += column.rjust(cells)
    return text


def _age(seconds: float) -> str:
    """Not by the second, so that the list stands still."""
    if seconds < 3600:
        return f"{int(seconds // 60)} min" if seconds >= 60 else "< 1 min"
    return f"{int(seconds // 3600)} h" if seconds < 86400 else f"{int(seconds // 86400)} d"
