from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from rich.text import Text
from textual.geometry import Size

from core.view.ranks import Rank, ranks, straggler_words
from core.view.readings import format_bytes
from core.view.state import DeviceReading, State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import bar, glyphs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.rank_lines import rank_lines
from tui_trainer.widgets.sparkline import sparkline

NAME_WIDTH = 9
WORDS_WIDTH = 20
"""As wide as ``23.4 GiB / 23.4 GiB`` and the gap before it."""
HOTTEST = 100.0
"""Degrees that fill a bar."""
SCARCE = 0.9

Value: TypeAlias = Callable[[DeviceReading], float | None]
"""0 to 1; None where this machine has no such thing."""


class Gauge(NamedTuple):
    name: str
    share: Value
    words: Callable[[DeviceReading], str]


class Load(NamedTuple):
    device: str
    readings: tuple[DeviceReading, ...]
    ranks: tuple[Rank, ...]
    waiting: str


class Machine(Panel[Load]):
    """How busy the machine has been: each gauge as it stands, and its last minutes. Above them the processes, where they are
    several."""

    NAME = "device"
    PAGE = "details"
    SLOT = "right"
    RANK = 20
    UNTOLD = "these files do not say how busy the machine is"

    def reads(self, state: State, now: float) -> Load:
        return Load(state.device, state.device_readings, ranks(state), straggler_words(state))

    def draw(self, reads: Load, size: Size, colours: Palette) -> Sequence[Text]:
        lines = rank_lines(reads.ranks, NAME_WIDTH, size.width, colours)
        if not reads.readings:
            return lines or [Text("no reading yet", colours.muted)]
        gauges = [gauge for gauge in GAUGES if gauge.share(reads.readings[-1]) is not None]
        roomy = 2 * len(gauges) + len(lines) <= size.height
        return lines + [line for gauge in gauges for line in _lines(gauge, reads.readings, size.width, roomy, colours)]

    def title(self, reads: Load, colours: Palette) -> Text:
        title = Text(self.NAME)
        return title.append(f"  {printable(reads.device)}", colours.muted) if reads.device else title

    def subtitle(self, reads: Load, colours: Palette) -> Text | None:
        return Text(printable(reads.waiting), colours.warn) if reads.waiting else None


def _lines(gauge: Gauge, readings: tuple[DeviceReading, ...], width: int, roomy: bool, colours: Palette) -> list[Text]:
    """A bar and below it its last minutes, or these alone where there is no room for both."""
    shares = [gauge.share(reading) or 0.0 for reading in readings]
    room = max(1, width - NAME_WIDTH - WORDS_WIDTH)
    words = (gauge.words(readings[-1]).rjust(WORDS_WIDTH), colours.text)
    name, curve = (gauge.name.ljust(NAME_WIDTH), colours.muted), colours.warn if shares[-1] > SCARCE else colours.train
    if not roomy:
        return [Text.assemble(name, (_curve(shares, room), curve), words)]
    filled, empty = bar(shares[-1], room, glyphs())
    history = _curve(shares, max(1, width - NAME_WIDTH))
    return [
        Text.assemble(name, (filled, colours.bar), (empty, colours.track), words),
        Text.assemble(" " * NAME_WIDTH, (history, curve)),
    ]


def _curve(shares: list[float], width: int) -> str:
    """The latest ones, a cell each."""
    return sparkline(shares[-width:], 0.0, 1.0).rjust(width)


def _of(used: int | None, total: int | None) -> float | None:
    return None if used is None else used / total if total else 0.0


def _bytes(used: int | None, total: int | None) -> str:
    return f"{format_bytes(used or 0)} / {format_bytes(total or 0)}"


def _percent(value: float | None) -> float | None:
    return None if value is None else value / 100


def _watts(item: DeviceReading) -> str:
    return "" if item.gpu_watts is None else f"  {item.gpu_watts:.0f} W"


GAUGES: tuple[Gauge, ...] = (
    Gauge("cpu", lambda item: item.cpu_percent / 100, lambda item: f"{item.cpu_percent:.0f} %"),
    Gauge(
        "memory",
        lambda item: _of(item.memory_bytes, item.memory_total),
        lambda item: _bytes(item.memory_bytes, item.memory_total),
    ),
    Gauge("gpu", lambda item: _percent(item.gpu_percent), lambda item: f"{item.gpu_percent or 0:.0f} %{_watts(item)}"),
    Gauge(
        "gpu mem",
        lambda item: _of(item.gpu_memory_bytes, item.gpu_memory_total),
        lambda item: _bytes(item.gpu_memory_bytes, item.gpu_memory_total),
    ),
    Gauge(
        "heat",
        lambda item: None if item.gpu_celsius is None else item.gpu_celsius / HOTTEST,
        lambda item: f"{item.gpu_celsius or 0:.0f} °C",
    ),
)
