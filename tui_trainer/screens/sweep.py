"""A sweep: its trials, which keys matter, the best value so far, and what each key's values came to; live while it goes on."""

from __future__ import annotations

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import DataTable, Static

from core.errors import UserError
from core.sweep.folder import SweepFolder
from core.sweep.trials import Trial, ended, values_words
from core.view.words import count, format_metric
from tui_trainer.bindings import ActionScreen, bindings
from tui_trainer.escape import printable
from tui_trainer.screens.question import STOP_SWEEP
from tui_trainer.sweep_look import Look, best_first, look
from tui_trainer.theme import Palette, palette
from tui_trainer.widgets.glyphs import ASCII, cut, glyphs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.steady_footer import SteadyFooter
from tui_trainer.widgets.sweep_panel import Importances
from tui_trainer.widgets.sweep_plots import HistoryPlot, KeyPlot
from tui_trainer.widgets.too_small import TooSmall
from tui_trainer.widgets.trial_table import TrialTable

TICK = 0.5
"""Seconds between two looks at the sweep's folder."""
HISTORY = ""
"""In the place of a key: the best value so far."""


class SweepScreen(ActionScreen):
    SCOPE = "sweep"
    BINDINGS = bindings("sweep")
    CSS_PATH = "sweep.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (110, "normal"), (160, "wide")]
    VERTICAL_BREAKPOINTS = [(0, "short"), (20, "medium"), (34, "tall")]

    def __init__(self, sweep: SweepFolder) -> None:
        super().__init__()
        self.sweep, self.look = sweep, look(sweep)
        self.key = HISTORY
        self._best_first = False

    @property
    def selected(self) -> Trial | None:
        return self.query_one(TrialTable).selected

    def compose(self) -> ComposeResult:
        yield Static(id="sweep-header")
        with Vertical(id="sweep-trials") as box:
            box.border_title = "trials"
            yield TrialTable()
            yield Static(id="trial-detail")
        with Container(id="sweep-below"):
            yield Importances(self.sweep)
            yield HistoryPlot(self.sweep)
            yield KeyPlot(self.sweep)
        yield SteadyFooter(show_command_palette=False)
        yield TooSmall()

    def on_mount(self) -> None:
        self.set_class(glyphs() is ASCII, "ascii")
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show())
        self.set_interval(TICK, self._tick)
        self.query_one(TrialTable).focus()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(TooSmall).fit(event.size)
        self.call_after_refresh(self._show)

    def _tick(self) -> None:
        if self.is_current and (found := look(self.sweep)) != self.look:
            self.look = found
            self._show()

    def _show(self) -> None:
        colours = palette(self.app.theme_variables)
        self.key = self.key if self.key in self._keys() else self._keys()[0]
        self.set_class(self.key == HISTORY, "of-history")
        self.set_class(self.key != HISTORY, "of-key")
        trials = best_first(self.look.trials, self.look.file.metric) if self._best_first else self.look.trials
        self.query_one(TrialTable).show(self.look, trials, colours)
        self.query_one("#sweep-header", Static).update(cut(header(self.sweep.name, self.look, colours), self.size.width - 2))
        self.query_one("#sweep-trials").border_title = "trials, the best first" if self._best_first else "trials"
        self._show_selected()
        self.refresh_bindings()

    @on(DataTable.RowHighlighted)
    def _show_selected(self) -> None:
        colours = palette(self.app.theme_variables)
        self.query_one("#trial-detail", Static).update(detail(self.selected, self.look, self.size.width - 4, colours))
        for panel in self.query(Panel):
            panel.look_again(self.state)

    def _keys(self) -> tuple[str, ...]:
        """What ``next_key`` goes through: where both plots are shown, the one of the best so far is there anyway."""
        narrow = self.has_class("narrow") or not self.look.keys
        return (HISTORY, *self.look.keys) if narrow else self.look.keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("open_trial", "order_trials") and not self.look.trials:
            return False
        if action in ("next_key", "previous_key") and (len(self._keys()) < 2 or self.has_class("short")):
            return False
        if action == "stop_sweep" and not self.look.alive:
            return False
        return super().check_action(action, parameters)

    @on(DataTable.RowSelected)
    def action_open_trial(self) -> None:
        trial = self.selected
        if trial is None:
            return
        run = self.sweep.run(trial.run)
        if run.exists():
            self.trainer.show_run(run)
        else:
            words = f"run {trial.run} is gone, or has another name"
            self.notify(printable(words), severity="warning", markup=False)

    def action_next_key(self) -> None:
        self._go_to_key(1)

    def action_previous_key(self) -> None:
        self._go_to_key(-1)

    def _go_to_key(self, step: int) -> None:
        keys = self._keys()
        self.key = keys[(keys.index(self.key) + step) % len(keys)]
        self._show()

    def action_order_trials(self) -> None:
        self._best_first = not self._best_first
        self._show()
        self.query_one(TrialTable).move_cursor(row=0)

    @work
    async def action_stop_sweep(self) -> None:
        if await self._confirmed(f"End the sweep {self.sweep.name}?", STOP_SWEEP):
            try:
                self.sweep.ask_to_stop()
            except UserError as error:
                self.notify(printable(str(error)), severity="warning", markup=False)
            else:
                self.notify(f"{printable(self.sweep.name)} ends once its trial is saved", markup=False)

    def action_leave_sweep(self) -> None:
        self.trainer.show_home()

    def action_quit(self) -> None:
        self.trainer.leave()


def header(name: str, look: Look, colours: Palette) -> Text:
    """One line: which sweep, how far, and the best."""
    line = Text(printable(name), f"bold {colours.text}", end="", no_wrap=True)
    if look.trouble:
        return line.append(f"  {printable(look.trouble)}", colours.bad)
    colour = {"running": colours.good, "interrupted": colours.warn}.get(look.state, colours.text)
    line.append(f"  {look.state}", colour)
    line.append(f"  {ended(look.trials)} of {count(look.file.trials, 'trial')}", colours.text)
    if look.best:
        value = format_metric(look.file.metric, look.best.value)
        line.append(f"  best {printable(look.file.metric)} {value}, trial {look.best.number}", colours.good)
    return line


def detail(trial: Trial | None, look: Look, width: int, colours: Palette) -> Text:
    """All values of the selected trial, and why it came to nothing."""
    if trial is None:
        words = "" if look.trouble else "no trial has begun yet"
        return Text(words, colours.muted)
    lines = [cut(Text(f"{printable(trial.run)}  {printable(values_words(trial.values))}", colours.muted), width)]
    if trial.note:
        lines.append(cut(Text(printable(trial.note), colours.bad if trial.state == "failed" else colours.muted), width))
    return Text("\n").join(lines)
