"""The run screen's first line: which run this is, and how it stands."""

from __future__ import annotations

from typing import NamedTuple

from rich.text import Text
from textual.widget import Widget

from core.view import readings
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette, palette
from tui_trainer.widgets.run_badge import run_badge

DURATION = 11
"""Columns of the widest: ``59 min 59 s``."""


class Standing(NamedTuple):
    names: tuple[str, ...]
    status: str
    notes: tuple[str, ...]
    """What is out of the ordinary now: a command without its answer, no sign of life, history still being read."""
    numbers: tuple[str, ...]


class RunHeader(Widget):
    """One row. ``name`` is the run's folder name."""

    DEFAULT_CSS = "RunHeader { height: 1; padding: 0 1; background: $surface; }"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.run_name = name
        self._standing = Standing((name,), "preparing", (), ())

    def show(self, state: State, now: float, pending: tuple[str, ...] = (), share: float = 1.0, moment: str = "") -> None:
        """``pending``: commands not yet answered; ``share``: how much of the journal has been read; ``moment``: which one this
        is, when it is not the present."""
        notes = [moment] if moment else []
        notes += [f"{word} sent ..." for word in pending]
        if state.hindrance:
            notes.append(printable(state.hindrance))
        if not moment and (trouble := readings.trouble(state, now)):
            notes.append(printable(trouble))
        if share < 1:
            notes.append(f"reading history {share:.0%}")
        names = (self.run_name, _elsewhere(state), state.recipe or state.program, state.data, _model(state))
        numbers = () if moment or state.away else _numbers(state, now)
        standing = Standing(tuple(printable(name) for name in names if name), state.status, tuple(notes), numbers)
        if standing != self._standing:
            self._standing = standing
            self.refresh()

    def render(self) -> Text:
        colours, standing, width = palette(self.app.theme_variables), self._standing, self.size.width
        right = _right(standing, colours)
        for count in range(len(standing.names), 0, -1):
            left = Text(standing.names[0], f"bold {colours.text}")
            left.append("".join(f"  {name}" for name in standing.names[1:count]), colours.muted)
            if left.cell_len + 2 + right.cell_len <= width:
                break
        left.truncate(max(0, width - right.cell_len - 1), overflow="ellipsis", pad=True)
        return Text.assemble(left, " ", right, no_wrap=True, end="")


def _right(standing: Standing, colours: Palette) -> Text:
    right = Text()
    for note in standing.notes:
        right.append(f"{note}  ", colours.warn)
    right.append_text(run_badge(standing.status, colours))  # type: ignore[arg-type]
    for number in standing.numbers:
        right.append(f"  {number}", colours.text)
    return right


def _elsewhere(state: State) -> str:
    """Which machine trains it, where that is another one."""
    return f"on {state.address.removeprefix('ssh://').partition('/')[0]}" if state.address else ""


def _model(state: State) -> str:
    return f"{state.model} {readings.format_count(state.parameters)}" if state.model and state.parameters else state.model


def _numbers(state: State, now: float) -> tuple[str, ...]:
    """Each as wide at one moment as at the next."""
    numbers = [printable(readings.doing(state))] if readings.doing(state) else []
    if words := readings.origin(state, now):
        numbers.append(printable(words))
    if state.total_steps:
        numbers.append(f"epoch {state.epoch:>{len(str(state.epochs))}}/{state.epochs}")
        left = readings.eta(state, now)
        if left is not None:
            numbers.append(f"ETA {readings.format_duration(left):>{DURATION}}")
    elif state.epoch:
        numbers.append(readings.epoch_words(state))
    return tuple(numbers)
