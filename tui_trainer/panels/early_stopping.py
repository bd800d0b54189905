from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.view.readings import stopping_sentence
from core.view.state import State, Stopping
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.glyphs import bar, glyphs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import wrap


class Countdown(NamedTuple):
    stopping: Stopping
    sentence: str
    monitor: str
    """Empty where nobody can change it from here."""
    others: bool
    """A run of others, which does not say what will stop it."""


class EarlyStopping(Panel[Countdown]):
    """The best value so far, how much patience is left, and what will happen."""

    NAME = "early stopping"
    SLOT = "status"
    RANK = 20

    def reads(self, state: State, now: float) -> Countdown:
        monitor = "" if state.program else state.monitor
        return Countdown(state.stopping, stopping_sentence(state), monitor, bool(state.origin))

    def draw(self, reads: Countdown, size: Size, colours: Palette) -> Sequence[Text]:
        sentence = [Text(line, colours.text) for line in wrap(printable(reads.sentence), size.width)]
        lines = sentence
        if reads.stopping.enabled and reads.stopping.patience and not 1 < size.height <= len(sentence):
            lines = [_patience(reads.stopping, size.width, colours), *sentence]
        return (
            [*lines, _keys(reads.stopping, colours)]
            if reads.monitor and not reads.others and size.height > len(lines)
            else lines
        )

    def title(self, reads: Countdown, colours: Palette) -> Text:
        title = Text("best" if reads.others else self.NAME)
        if reads.stopping.best is not None:
            title.append(f"  {'' if reads.others else 'best '}{short(reads.stopping.best)}", colours.held_out)
        if reads.monitor.startswith("test."):
            title.append("  TEST", f"bold {colours.warn}")
        return title


def _patience(stopping: Stopping, width: int, colours: Palette) -> Text:
    """A countdown: how many of the epochs that may pass without an improvement are left."""
    used, most = min(stopping.epochs_since, stopping.patience), stopping.patience
    words = f" {most - used} of {most} left"
    filled, empty = bar((most - used) / most, max(1, width - len(words) - 9), glyphs())
    colour = colours.bad if most - used <= 1 else colours.warn if used * 2 >= most else colours.good
    return Text.assemble(("patience ", colours.muted), (filled, colour), (empty, colours.track), (words, colours.text))


def _keys(stopping: Stopping, colours: Palette) -> Text:
    """Of the menu of changes."""
    switch = "off" if stopping.enabled else "on"
    keys = (
        ("c p", colours.held_out),
        (" patience   ", colours.muted),
        ("c o", colours.held_out),
        (f" {switch}", colours.muted),
    )
    return Text.assemble(*keys, no_wrap=True, overflow="ellipsis")
