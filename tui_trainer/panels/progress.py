from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.view import readings
from core.view.state import Phase, State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import bar, glyphs
from tui_trainer.widgets.panel import Panel

NAME_WIDTH = 9
"""Columns of a name and the gap after it: as wide as ``validate``."""
COUNT_WIDTH = 8
DURATION_WIDTH = 12
ROOMY = 34
"""Columns from which on there is room for durations."""


class Bar(NamedTuple):
    name: str
    share: float
    number: str
    duration: str


class Progress(NamedTuple):
    """What is shown, in words, so that the panel is drawn again only when a word changes."""

    note: str
    bars: tuple[Bar, ...]
    facts: tuple[tuple[str, str], ...]


class ProgressPanel(Panel[Progress]):
    """How far the step (or what is waited for), the epoch and the run are, how long they will take, and at what cost."""

    NAME = "progress"
    SLOT = "status"
    RANK = 10

    def reads(self, state: State, now: float) -> Progress:
        if state.origin:
            return Progress("", (), _facts(state, now))
        if not state.begun:
            return _before_training(state, now)
        facts = (("epoch", _epochs_done(state)), ("speed", _speed(state)), ("memory", _memory(state)))
        bars = (_moment(state, now), *_epoch(state), *_run(state, now))
        return Progress("", bars, tuple(fact for fact in facts if fact[1]))

    def draw(self, reads: Progress, size: Size, colours: Palette) -> Sequence[Text]:
        lines = [Text(reads.note, colours.text)] if reads.note else []
        counts = max([COUNT_WIDTH, *(len(item.number) + 1 for item in reads.bars)])
        lines += [_bar_line(item, counts, size.width, colours) for item in reads.bars]
        return lines + [
            Text.assemble((name.ljust(NAME_WIDTH), colours.muted), (words, colours.text)) for name, words in reads.facts
        ]


def _bar_line(item: Bar, counts: int, width: int, colours: Palette) -> Text:
    numbers = item.number.rjust(counts) + (item.duration.rjust(DURATION_WIDTH) if width >= ROOMY else "")
    filled, empty = bar(item.share, max(1, width - NAME_WIDTH - len(numbers)), glyphs())
    name = item.name[: NAME_WIDTH - 1].ljust(NAME_WIDTH)
    return Text.assemble((name, colours.muted), (filled, colours.bar), (empty, colours.track), (numbers, colours.text))


def _facts(state: State, now: float) -> tuple[tuple[str, str], ...]:
    """Of a run of others, which does not say how long it will be."""
    seconds = readings.seconds_per_step(state)
    facts = (
        ("step", f"{state.step:,}" + (f"   epoch {state.epoch:,}" if state.epoch else "")),
        ("speed", f"{_pace(seconds)}/step" if seconds else ""),
        ("trained", readings.format_duration(state.trained_seconds) if state.trained_seconds else ""),
        ("newest", f"{readings.format_duration(max(now - state.last_time, 0.0))} ago" if state.last_time else "nothing yet"),
        ("from", state.origin),
    )
    return tuple((name, words) for name, words in facts if words)


def _before_training(state: State, now: float) -> Progress:
    if state.phase is None:
        words = "starting the worker ..." if state.seq < 0 else "getting ready ..."
        return Progress(words, (), ())
    return Progress(printable(state.phase.label or readings.doing(state)), (_phase(state.phase, now),), ())


def _moment(state: State, now: float) -> Bar:
    """What is under way this second: a phase, else the present step."""
    if state.phase:
        return _phase(state.phase, now)
    seconds = readings.seconds_per_step(state)
    if seconds is None:
        waited = readings.format_duration(state.step_age) if state.step_age else ""
        return Bar("step", 0.0, _wide(state.step + 1, state.total_steps), waited)
    return Bar("step", state.step_age / seconds, _wide(state.step, state.total_steps), _pace(seconds))


def _phase(phase: Phase, now: float) -> Bar:
    share = phase.done / phase.total if phase.total else 0.0
    waited = readings.format_duration(max(0.0, now - phase.started))
    return Bar(printable(phase.name), share, f"{share:.0%}" if phase.total else "", waited)


def _epoch(state: State) -> Iterator[Bar]:
    if state.steps_per_epoch:
        count = f"{_wide(readings.step_in_epoch(state), state.steps_per_epoch)}/{state.steps_per_epoch:,}"
        yield Bar("epoch", readings.epoch_fraction(state), count, _left(readings.epoch_eta(state)))


def _run(state: State, now: float) -> Iterator[Bar]:
    if state.total_steps:
        share = readings.run_fraction(state)
        yield Bar("run", share, f"{share:.0%}", _left(readings.eta(state, now)))


def _epochs_done(state: State) -> str:
    """Where no bar can tell, since nobody knows how long the run will be."""
    if state.total_steps or not state.epoch:
        return ""
    return f"{state.epoch} of {state.epochs}" if state.epochs else f"{state.epoch}, of how many is not known"


def _left(seconds: float | None) -> str:
    return "" if seconds is None else readings.format_duration(seconds)


def _speed(state: State) -> str:
    rate, seconds = readings.images_per_second(state), readings.seconds_per_step(state)
    if seconds is None:
        return ""
    if rate is None:
        return f"{1 / seconds:>6,.0f} steps/s {_pace(seconds):>7}/step"
    return f"{rate:>6,.0f} images/s {_pace(seconds):>7}/step"


def _wide(number: int, most: int) -> str:
    """As wide as the greatest of its kind, so that nothing moves when a digit more comes."""
    return f"{number:>{len(f'{most:,}')},}"


def _memory(state: State) -> str:
    reading = state.device_reading
    if reading is None:
        return ""
    return f"{readings.format_bytes(reading.memory_bytes)} of {readings.format_bytes(reading.memory_total)}"


def _pace(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
