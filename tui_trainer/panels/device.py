from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.view.ranks import Rank, ranks, straggler_words
from core.view.readings import format_bytes, format_count
from core.view.state import DeviceReading, State
from core.view.words import count
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import bar, glyphs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.rank_lines import rank_lines

NAME_WIDTH = 9


class Meter(NamedTuple):
    name: str
    share: float
    words: str
    scarce: bool = False


class Told(NamedTuple):
    words: tuple[tuple[str, str], ...]
    reading: DeviceReading | None
    ranks: tuple[Rank, ...] = ()
    waiting: str = ""


class Device(Panel[Told]):
    """What is trained, on what, and how busy that is."""

    NAME = "device"
    SLOT = "side"
    RANK = 10
    EXTRA = True
    UNTOLD = "these files do not say how busy the machine is"

    def reads(self, state: State, now: float) -> Told:
        if not state.device:  # nothing is known before the run begins
            return Told((), state.device_reading)
        size = f"{format_count(state.parameters)} parameters, {format_count(state.macs)} MACs" if state.parameters else "-"
        images = f"{state.train_images:,} train  {state.validation_images:,} val  {state.test_images:,} test"
        threads = count(state.threads, "thread")
        return Told(
            (
                ("device", f"{state.device}  {state.precision}  {threads}  batch {state.batch_size}"),
                ("model", f"{state.model or '-'}  {size}"),
                ("images", images),
            ),
            state.device_reading,
            ranks(state),
            straggler_words(state),
        )

    def draw(self, reads: Told, size: Size, colours: Palette) -> Sequence[Text]:
        if not reads.words and not reads.reading and not reads.ranks:
            return [Text("no reading yet", colours.muted)]
        width = size.width
        lines = [_words(name, words, width, colours) for name, words in reads.words]
        lines += rank_lines(reads.ranks, NAME_WIDTH, width, colours)
        return lines + ([_meter_line(meter, width, colours) for meter in _meters(reads.reading)] if reads.reading else [])

    def subtitle(self, reads: Told, colours: Palette) -> Text | None:
        return Text(printable(reads.waiting), colours.warn) if reads.waiting else None


def _meters(reading: DeviceReading) -> list[Meter]:
    """Those that this machine has."""
    meters = [
        Meter("cpu", reading.cpu_percent / 100, f"{reading.cpu_percent:.0f} %"),
        _memory("memory", reading.memory_bytes, reading.memory_total),
    ]
    if reading.gpu_percent is not None:
        heat = f" {reading.gpu_celsius:.0f} °C" if reading.gpu_celsius is not None else ""
        power = f" {reading.gpu_watts:.0f} W" if reading.gpu_watts is not None else ""
        meters.append(Meter("gpu", reading.gpu_percent / 100, f"{reading.gpu_percent:.0f} %{heat}{power}"))
    if reading.gpu_memory_bytes is not None and reading.gpu_memory_total:
        meters.append(_memory("gpu mem", reading.gpu_memory_bytes, reading.gpu_memory_total))
    return meters


def _memory(name: str, used: int, total: int) -> Meter:
    share = used / total if total else 0.0
    return Meter(name, share, f"{format_bytes(used)} / {format_bytes(total)}", scarce=share > 0.9)


def _words(name: str, words: str, width: int, colours: Palette) -> Text:
    line = Text.assemble((name.ljust(NAME_WIDTH), colours.muted), (printable(words), colours.text))
    line.truncate(width, overflow="ellipsis")
    return line


def _meter_line(meter: Meter, width: int, colours: Palette) -> Text:
    filled, empty = bar(meter.share, max(1, min(40, width - NAME_WIDTH - 22)), glyphs())
    line = Text.assemble((meter.name.ljust(NAME_WIDTH), colours.muted), (filled, colours.warn if meter.scarce else colours.bar))
    return line.append(empty, colours.track).append(f"  {meter.words}", colours.text)
