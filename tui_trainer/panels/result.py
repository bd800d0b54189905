from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.text import Text
from textual.geometry import Size

from core.run.folder import RunFolder, reference, whereabouts
from core.run.program import way_on
from core.view import readings
from core.view.state import State
from tui_trainer.bindings import keymap
from tui_trainer.escape import printable
from tui_trainer.farewell import of_others
from tui_trainer.theme import Palette
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.run_badge import run_badge
from tui_trainer.widgets.wrapping import PathWrapper
from tui_trainer.worker_log import last_words

if TYPE_CHECKING:
    from tui_trainer.screens.panels import PanelScreen

LAST_LINES = 3
NAME_WIDTH = 8
TIE = "\xa0"
"""Not a place to break a line at: a path that is too long begins beside its name."""


class Outcome(NamedTuple):
    state: State | None
    """The ended run; None while it is not."""
    quiet: str
    """How long ago the last sign of life was."""
    last_words: tuple[str, ...]
    following: str
    """The command that comes next, where the screen has one of its own."""


class Result(Panel[Outcome]):
    """How an ended run ended, where its weights are, and which command comes next."""

    NAME = "result"
    SLOT = "status"
    RANK = 15

    _last_words: tuple[str, ...] | None = None

    def reads(self, state: State, now: float) -> Outcome:
        if not state.ended:
            self._last_words = None
            return Outcome(None, "", (), "")
        quiet = readings.format_duration(max(0.0, now - state.last_time)) if state.status == "lost" and state.last_time else ""
        following = cast("PanelScreen", self.screen).following
        return Outcome(state, quiet, self._worker_words(state), following)

    def draw(self, reads: Outcome, size: Size, colours: Palette) -> Sequence[Text]:
        if reads.state is None:
            return []
        resume = keymap(self).named("resume")
        following = [("next", reads.following)] if reads.following else _next(reads.state, self.run, resume)
        pairs = [*_ending(reads.state, reads.quiet), *_figures(reads.state, self.run), *following]
        lines = [line for name, words in pairs for line in _wrapped(name, words, size.width, colours)]
        return lines + [Text(line, colours.muted, no_wrap=True) for line in reads.last_words]

    def title(self, reads: Outcome, colours: Palette) -> Text:
        return run_badge(reads.state.status, colours) if reads.state else Text(self.NAME)

    def _worker_words(self, state: State) -> tuple[str, ...]:
        if self._last_words is None:
            self._last_words = last_words(self.run, state, LAST_LINES)
        return self._last_words


def _ending(state: State, quiet: str) -> list[tuple[str, str]]:
    if state.status == "lost" and not state.origin:
        ago = f", last sign of life {quiet} ago" if quiet else ""
        return [("", f"The trainer is gone without a word{ago}, at step {state.step:,}.")]
    where = readings.where(state)
    reason = f"{state.failure}: {state.ending}" if state.status == "failed" and state.failure != "use" else state.ending
    return [("", reason), ("at", where)] if reason else [("at", where)]


def _figures(state: State, run: RunFolder) -> list[tuple[str, str]]:
    pairs = []
    test = state.measurements.get("test")
    if test and "test.accuracy" in test.metrics:
        accuracy = f"accuracy {test.metrics['test.accuracy'] * 100:.2f} %"
        if "test.tta_accuracy" in test.metrics:
            accuracy += f" ({test.metrics['test.tta_accuracy'] * 100:.2f} % with TTA)"
        weights = readings.weights_measured(state, test)
        parts = (accuracy, f"loss {short(test.metrics.get('test.loss'))}", weights)
        pairs.append(("test", ", ".join(filter(None, parts))))
    if state.stopping.best is not None:
        pairs.append(("best", f"{state.stopping.metric} {short(state.stopping.best)} at epoch {state.stopping.best_epoch}"))
    if state.weights:
        pairs.append(("weights", whereabouts(run, state.weights)))
    return pairs


def _next(state: State, run: RunFolder, key: str) -> list[tuple[str, str]]:
    if state.origin:
        return [("next", of_others(state))]
    if state.program:
        return [("next", way_on(run.name, state.program))]
    if state.status in ("finished", "early-stopped"):
        return [("next", f"tui-trainer evaluate {reference(run)}")]
    if state.address:
        return [("next", f"tui-trainer resume --detach {reference(run)}")]
    return [("next", f"press {key}, or: tui-trainer resume {reference(run)}")]


def _wrapped(name: str, words: str, width: int, colours: Palette) -> list[Text]:
    hanging = " " * (NAME_WIDTH if width >= 50 else 2) if name else ""
    label = name.ljust(NAME_WIDTH).replace(" ", TIE) if name else ""
    text = label + printable(words)
    wrapper = PathWrapper(width, subsequent_indent=hanging, break_on_hyphens=False)
    lines = [Text(line.replace(TIE, " "), colours.text) for line in wrapper.wrap(text)]
    lines[0].stylize(colours.muted, 0, len(label))
    return lines
