"""Home: the runs of a folder, refreshed while one looks at it; without any, the form that starts the first one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import DataTable, Static

from core.run.folder import list_runs
from core.run.moving import TRASH
from core.view import words
from core.view.state import State
from tui_trainer import farewell
from tui_trainer.bindings import bindings
from tui_trainer.escape import printable
from tui_trainer.listing import ListedRun, Listing
from tui_trainer.run_facts import chosen
from tui_trainer.screens.queueing import QueueingScreen
from tui_trainer.theme import Palette, palette
from tui_trainer.tour import WITH_RUNS
from tui_trainer.waiting import Waiting, among
from tui_trainer.widgets.filter_line import FilterLine
from tui_trainer.widgets.hint_line import HintLine
from tui_trainer.widgets.run_detail import latest_epochs, run_detail, run_footnote, run_title
from tui_trainer.widgets.run_table import RunTable
from tui_trainer.widgets.steady_footer import SteadyFooter
from tui_trainer.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from tui_trainer.widgets.new_run_form import NewRunForm

REFRESH = 2.0
"""Seconds between two looks at the runs folder."""
UNREAD_REFRESH = 0.05
"""The same while journals are still unread."""
SIDE_BY_SIDE = 160
"""Columns from which the selected run stands beside the list."""
OF_A_RUN = ("open", "resume", "mark", "tag", "rename", "delete", "again")
"""Actions that need a selected one."""
OF_A_LIST = ("filter", "order_next", "order_turn", "unfilter", "compare_runs")
"""Actions that need any."""


class HomeScreen(QueueingScreen):
    """The list of runs with what the selected one says, or the first run's form."""

    SCOPE = "home"
    CSS_PATH = ["home.tcss", "new_run.tcss"]
    BINDINGS = bindings("home")
    HORIZONTAL_BREAKPOINTS = [(0, "-normal"), (SIDE_BY_SIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-low"), (34, "-tall")]

    @dataclass
    class Scanned(Message):
        listed: list[ListedRun]
        trouble: str = ""
        """Why the queue cannot be read."""

    def __init__(self, runs: Path) -> None:
        super().__init__()
        self.runs = runs
        self._listing, self.waiting = Listing(runs), Waiting(runs)
        self._scanning = self._again = False
        self._empty: bool | None = None
        self._trouble = ""
        self._form: NewRunForm | None = None
        """Kept once it was needed."""

    def compose(self) -> ComposeResult:
        self.add_class(*self.fitting())
        yield Static(id="home-title")
        with Container(id="home-body"):
            with Vertical(id="home-runs") as box:
                box.border_title = "runs"
                yield RunTable(id="run-table")
                yield FilterLine(id="filter-line")
            with VerticalScroll(id="home-detail", can_focus=False):
                yield Static(id="run-detail")
                yield Static(id="run-epochs")
        with Container(id="first-run"), Vertical(id="first-run-box") as box:
            box.border_title = "start your first run"
            box.border_subtitle = "enter starts it"
        yield SteadyFooter(show_command_palette=False, compact=True)
        yield HintLine(self.trainer.tour)
        yield TooSmall()

    async def on_mount(self) -> None:
        await self._set_empty(not (list_runs(self.runs) or self.waiting.look()))
        self.app.theme_changed_signal.subscribe(self, lambda _: self._show())
        self.set_interval(REFRESH, self.scan)
        if left := self.trainer.trash.left:
            there = self.runs / TRASH
            found, back = words.count(len(left), "deleted run"), self.keymap.named("undelete")
            self._say(f"{found} in {there}: {back} brings the last back, rm -r {there} removes all")

    def on_screen_resume(self) -> None:
        self.scan()

    def on_screen_suspend(self) -> None:
        self.query_one(HintLine).used("home")

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(TooSmall).fit(event.size)
        self.call_after_refresh(self._show)

    def scan(self) -> None:
        """Look at the runs folder beside the screen, unless nobody sees this screen now; again, where that is under way."""
        self._again = self._scanning
        if self.is_current and not self._scanning:
            self._scanning = True
            self._scan()

    @work(thread=True, group="scan")
    def _scan(self) -> None:
        self.post_message(self.Scanned(among(self._listing.scan(), self.waiting.look()), self.waiting.trouble))

    async def on_home_screen_scanned(self, event: Scanned) -> None:
        self._scanning = False
        self._listed, self._trouble = event.listed, event.trouble
        if not self._form_is_starting():  # its run's folder appears before its worker has begun
            await self._set_empty(not self._listed)
        if self.is_current:
            self.query_one(HintLine).offer("home", "" if self._empty else WITH_RUNS)
        self._show()
        if self._again or not all(item.known for item in self._listed):
            self.set_timer(UNREAD_REFRESH, self.scan)

    async def _set_empty(self, empty: bool) -> None:
        """Without runs the form stands in the place of the list."""
        if empty == self._empty:
            return
        self._empty = empty
        self.set_class(empty, "empty")
        if not empty:
            self.query_one(RunTable).focus()
            return
        if not self._form:  # kept from then on: a Select that is removed while it still mounts ends the app
            from tui_trainer.widgets.new_run_form import NewRunForm

            self._form = NewRunForm(self.runs, log=self.trainer.settings.log)
            await self.query_one("#first-run-box").mount(self._form)
        self.query_one("#start").focus()

    def _form_is_starting(self) -> bool:
        return bool(self._form and self._form.starting)

    def _show(self) -> None:
        now, colours, table = self.trainer.clock(), palette(self.app.theme_variables), self.query_one(RunTable)
        shown = chosen(self._listed, now, self._filter, self._order)
        table.marked &= {item.run.name for item in self._listed}
        table.show(shown, now, colours, self._order)
        if table.select(self._followed):
            self._followed = ""
        self.query_one("#home-title", Static).update(self._title(colours))
        self.query_one("#home-runs").border_subtitle = self._about_filter(len(shown), colours)
        self._show_selected()

    def _title(self, colours: Palette) -> Text:
        return _title(self.runs, self._listed, len(self.marked), colours)

    def _about_filter(self, shown: int, colours: Palette) -> Text:
        if error := self._filter.error or self._trouble:
            return Text(printable(error), style=colours.bad)
        return Text(f"{shown} of {words.count(len(self._listed), 'run')}" if self._filter.tests else "")

    @on(DataTable.RowHighlighted)
    def _show_selected(self) -> None:
        selected, colours = self.selected, palette(self.app.theme_variables)
        self.state = (selected and selected.state) or State()
        self.refresh_bindings()
        box = self.query_one("#home-detail")
        detail, epochs = self.query_one("#run-detail", Static), self.query_one("#run-epochs", Static)
        if selected is None:
            box.border_title = box.border_subtitle = ""
            none = f"no run matches; {self.keymap.named('unfilter')} shows all of them" if self._listed else ""
            detail.update(Text(none, style=colours.muted))
            epochs.update("")
            return
        now, roomy = self.trainer.clock(), self.has_class("-wide") or self.has_class("-tall")
        box.border_title = run_title(selected, colours)
        box.border_subtitle = "" if self.query_one(HintLine).showing else run_footnote(selected, now)  # it lies over that line
        detail.update(run_detail(selected, now, colours, roomy, self.keymap.named("resume")))
        epochs.update(latest_epochs(selected, colours))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if (action in OF_A_RUN and (not self.selected or self.queued)) or (action in OF_A_LIST and not self._listed):
            return False
        if action == "filter" and self.query_one(FilterLine).typing:
            return False
        return super().check_action(action, parameters)

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        if (selected := self.selected) and not selected.queued:
            self.trainer.show_run(selected.run)

    def action_quit(self) -> None:
        """Leave; a training that is under way goes on."""
        self.trainer.leave()

    def farewell(self) -> list[str]:
        """Of the runs that go on; without any, of the one that was looked at."""
        live = [(item.run, item.state or State()) for item in self._listed if item.alive]
        visited = self.trainer.visited
        seen = (item for item in self._listed if visited and item.state and item.run.path == visited.path)
        return farewell.of_living(live) or next((farewell.of_run(item.run, item.state or State()) for item in seen), [])


def _title(runs: Path, listed: list[ListedRun], marked: int, colours: Palette) -> Text:
    live, queued = sum(item.alive for item in listed), sum(item.queued is not None for item in listed)
    count = words.count(len(listed) - queued, "run") if len(listed) > queued else "no runs yet"
    return Text.assemble(
        ("tui-trainer", f"bold {colours.train}"),
        (f"   {count}", colours.text),
        (f", {live} training" if live else "", colours.good),
        (f", {queued} queued" if queued else "", colours.text),
        (f", {marked} marked" if marked else "", colours.held_out),
        (f"   in {printable(str(runs))}", colours.muted),
    )
