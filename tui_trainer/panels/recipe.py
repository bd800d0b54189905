from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.errors import UserError
from core.run import program
from core.run.folder import RunFolder
from core.view.state import Mark, State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import wrap


class Written(NamedTuple):
    lines: tuple[str, ...]
    trouble: str
    changes: tuple[Mark, ...]
    others: bool
    """A run of others."""


class RecipeText(Panel[Written]):
    """The run's recipe as it was started, and above it what was changed since."""

    NAME = "recipe"
    PAGE = "details"
    SLOT = "left"
    RANK = 10

    _written: tuple[tuple[str, ...], str] | None = None

    def reads(self, state: State, now: float) -> Written:
        self._written = self._written or (_settings(self.run) if state.origin else _read(self.run))
        changes = tuple(mark for mark in state.marks if mark.kind == "setting")
        return Written(*self._written, changes, bool(state.origin))

    def draw(self, reads: Written, size: Size, colours: Palette) -> Sequence[Text]:
        if reads.trouble:
            return [Text(line, colours.bad) for line in wrap(printable(reads.trouble), size.width)]
        lines = [_changed(change, size.width, colours) for change in reads.changes]
        return lines + [part for line in reads.lines for part in _lines(line, size.width, colours)]

    def title(self, reads: Written, colours: Palette) -> Text:
        title = Text("settings" if reads.others else self.NAME)
        return title.append(f"  {len(reads.changes)} changed live", colours.warn) if reads.changes else title


def _settings(run: RunFolder) -> tuple[tuple[str, ...], str]:
    """Of a run of others, as far as they lie beside it."""
    try:
        found = run.read().recipe
    except UserError as error:
        return (), str(error)
    return tuple(f"{key} = {value}" for key, value in found.items()) or ("no hparams.yaml lies beside these files",), ""


def _read(run: RunFolder) -> tuple[tuple[str, ...], str]:
    from core.recipe import from_table, to_toml  # once this page is looked at

    try:
        return program.told(run) or tuple(to_toml(from_table(program.recipe_of(run), str(run.run_file))).splitlines()), ""
    except UserError as error:
        return (), str(error)


def _lines(line: str, width: int, colours: Palette) -> list[Text]:
    """A key, its value in the text's colour; what does not fit goes on below it."""
    shown = printable(line)
    if shown.startswith("["):
        return [Text(shown, f"bold {colours.text}")]
    if shown.startswith("#"):
        return [Text(part, colours.muted) for part in wrap(shown, width)]
    key, equals, _ = shown.partition(" = ")
    wrapped = wrap(shown, width, subsequent_indent="    ") or [""]
    lines = [Text(part, colours.text) for part in wrapped]
    if equals:
        lines[0].stylize(colours.muted, 0, len(key) + 3)
    return lines


def _changed(change: Mark, width: int, colours: Palette) -> Text:
    line = Text(f"# from step {change.step:,} on: {printable(change.text)}", colours.warn)
    line.truncate(width, overflow="ellipsis")
    return line
