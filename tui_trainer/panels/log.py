from __future__ import annotations

import time
from collections.abc import Sequence

from rich.text import Text
from textual.geometry import Size

from core.view.readings import format_bytes
from core.view.state import Message, SavedCheckpoint, State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import wrap

CLOCK = 9
"""Columns of the time before a message."""


class Log(Panel[tuple[Message, ...]]):
    """What the run said, and the checkpoints that it has, the newest last; it follows the newest unless it was scrolled up."""

    NAME = "log"
    SLOT = "side"
    RANK = 20
    EXTRA = True

    def reads(self, state: State, now: float) -> tuple[Message, ...]:
        return tuple(sorted((*state.messages, *map(_saved, state.checkpoints)), key=lambda message: message.time))

    def draw(self, reads: tuple[Message, ...], size: Size, colours: Palette) -> Sequence[Text]:
        if not reads:
            return [Text("nothing yet", colours.muted)]
        return [line for message in reads for line in _wrapped(message, size.width, colours)]

    def on_mount(self) -> None:
        self.anchor()


def _saved(saved: SavedCheckpoint) -> Message:
    remarks = ", ".join(word for word in (saved.name, "the best so far" if saved.best else "") if word)
    size = f", {format_bytes(saved.bytes)}" if saved.bytes else ""
    return Message(saved.time, "info", f"saved {saved.checkpoint}{f' ({remarks})' if remarks else ''}{size}")


def _clock(seconds: float) -> str:
    try:
        return time.strftime("%H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # no clock has ever shown this
        return "-"


def _wrapped(message: Message, width: int, colours: Palette) -> list[Text]:
    colour = {"warning": colours.warn, "error": colours.bad}.get(message.level, colours.text)
    first, *rest = wrap(printable(message.text), max(10, width - CLOCK)) or [""]
    lines = [Text.assemble((_clock(message.time).ljust(CLOCK), colours.muted), (first, colour))]
    return lines + [Text(" " * CLOCK + line, colour) for line in rest]
