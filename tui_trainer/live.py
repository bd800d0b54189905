"""The headless printer's progress display on a terminal: finished epochs scroll by, the present moment stays below them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from core.events import PREFIX
from core.run.folder import RunFolder
from core.view import readings
from core.view.ranks import ranks_words
from core.view.state import ClassScore, State
from tui_trainer.escape import printable
from tui_trainer.narrator import Narrator, memory, phase_words, throughput
from tui_trainer.outside import Outside
from tui_trainer.plain import Told
from tui_trainer.result import result_lines
from tui_trainer.terminal import NOTHING, abilities, notifies

STYLES = {"running": "bold green", "paused": "bold yellow", "preparing": "bold cyan", "failed": "bold red", "lost": "bold red"}
CLASSES_FROM = 24
"""Terminal lines from which there is room for the class table."""
WORST_PAIRS = 3
CLASS_CELLS = 26
"""Columns of the terminal that one class takes."""


class LiveProgress:
    """See :class:`tui_trainer.plain.Output`."""

    def __init__(self, run: RunFolder, state: State, console: Console | None = None) -> None:
        self.run = run
        self.console = console or Console(highlight=False)
        self._narrator = Narrator(state, brief=True)
        self._outside = Outside(abilities(os.environ) if self.console.is_terminal else NOTHING, notifies(os.environ))
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._live.start()

    @property
    def state(self) -> State:
        return self._narrator.state

    def feed(self, told: Told) -> None:
        self._say(self._narrator.tell([event for _, event in told]))

    def tick(self) -> None:
        self._live.update(dashboard(self.state, time.time(), *self.console.size), refresh=True)
        self._tell_terminal(self._outside.show(self.run.name, self.state, time.monotonic()))

    def end(self, state: State) -> None:
        self._tell_terminal(self._outside.show(self.run.name, state, time.monotonic()))
        self.close()
        self._say(result_lines(self.run, state))

    def close(self) -> None:
        """Gives the terminal its cursor and its title back."""
        self._live.stop()
        self._tell_terminal(self._outside.restore())

    def _tell_terminal(self, codes: str) -> None:
        """Between two refreshes, and with a stand-in for characters that its encoding lacks."""
        if codes:
            self.console.file.write(codes.encode(self.console.encoding, "replace").decode(self.console.encoding))
            self.console.file.flush()

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self.console.print(Text(line))


def dashboard(state: State, now: float, width: int, height: int) -> RenderableType:
    """Everything that the console's Run screen says in words, for a terminal of that size (cells)."""
    return Group(*_parts(state, now, width, height))


def _parts(state: State, now: float, width: int, height: int) -> Iterator[RenderableType]:
    yield _status(state, now)
    yield _bars(state, now)
    if not state.begun:
        return
    yield Text(_scores(state), overflow="ellipsis", no_wrap=True)
    rate = readings.format_metric("train.learning_rate", state.metrics.get("train.learning_rate"))
    yield Text(f"learning rate {rate}   {throughput(state)}{memory(state)}", overflow="ellipsis", no_wrap=True)
    if words := ranks_words(state):
        yield Text(printable(words))
    yield Text(printable(f"early stopping: {readings.stopping_sentence(state)}"))
    measurement = state.measurements.get(state.split)
    if measurement and measurement.classes and height >= CLASSES_FROM:
        yield _classes(measurement.classes, max(width // CLASS_CELLS, 1), height // 2)
        if worst := ", ".join(map(readings.confusion_words, readings.confusions(measurement, WORST_PAIRS))):
            yield Text(printable(f"most often wrong: {worst}"), overflow="ellipsis", no_wrap=True)


def _status(state: State, now: float) -> Text:
    words = Text.assemble((state.status, STYLES.get(state.status, "bold")), "  ", printable(state.name or "starting"))
    if trouble := readings.trouble(state, now):
        words.append(f"  {printable(trouble)}", style="red")
    elif state.phase:
        words.append(f"  {printable(phase_words(state))}", style="cyan")
    if state.hindrance:
        words.append(f"  {printable(state.hindrance)}, goes on once it can save", style="yellow")
    if state.stop_after_epoch:
        words.append("  stops after this epoch", style="yellow")
    return words


def _bars(state: State, now: float) -> Table:
    grid, share = Table.grid(padding=(0, 2)), readings.phase_fraction(state)
    if state.steps_per_epoch:
        epoch, step = readings.epoch_words(state), f"step {readings.step_in_epoch(state)}/{state.steps_per_epoch}"
        _bar(grid, epoch, readings.epoch_fraction(state), step, readings.epoch_eta(state))
    if state.total_steps:
        whole = f"step {state.step}/{state.total_steps}"
        _bar(grid, "run", readings.run_fraction(state), whole, readings.eta(state, now))
    elif state.begun:
        grid.add_row(Text("run"), Text(readings.where(state)), "", "")
    if state.phase and share is not None:
        _bar(grid, state.phase.name, share, f"{state.phase.done:,}/{state.phase.total:,} {state.phase.unit}", None)
    return grid


def _bar(grid: Table, title: str, share: float, done: str, left: float | None) -> None:
    bar = ProgressBar(total=1.0, completed=share, width=30)
    words = "" if left is None else f"{readings.format_duration(left)} left"
    grid.add_row(Text(printable(title)), bar, Text(printable(done)), words)


def _scores(state: State) -> str:
    prefix = PREFIX[state.split]
    label = "TEST" if prefix == "test" else "validation"
    values = {name: readings.format_metric(name, state.metrics.get(name)) for name in _shown(prefix)}
    train = f"train loss {values['train.loss']} accuracy {values['train.accuracy']}"
    held_out = f"{label} loss {values[f'{prefix}.loss']} accuracy {values[f'{prefix}.accuracy']}"
    return train if state.unwatched else f"{train}   {held_out}"


def _shown(prefix: str) -> list[str]:
    return ["train.loss", "train.accuracy", f"{prefix}.loss", f"{prefix}.accuracy"]


def _classes(scores: tuple[ClassScore, ...], columns: int, rows: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    shown = scores[: columns * rows]
    for first in range(0, len(shown), columns):
        grid.add_row(*(_class(score) for score in shown[first : first + columns]))
    return grid


def _class(score: ClassScore) -> Text:
    words = Text(f"{printable(score.name)[:10]:<10} {readings.format_metric('accuracy', score.accuracy):>8}")
    if score.change:
        words.append(f" {100 * score.change:+.1f}", style="green" if score.change > 0 else "red")
    return words
