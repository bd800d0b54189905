"""Panels over one run's State, in pages: what a run's screens have in common, whether they show the present or the past."""

from __future__ import annotations

import time
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Footer

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.feed import Source
from tui_trainer.panels import panels
from tui_trainer.screens.copying import CopyingScreen
from tui_trainer.screens.exporting import ExportingScreen
from tui_trainer.screens.focusing import FocusingScreen
from tui_trainer.widgets.curve_panel import CurvePanel
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.lens import Lens
from tui_trainer.widgets.page_tabs import PageTabs
from tui_trainer.widgets.panel import PAGES, SLOTS, Page, Panel, Slot
from tui_trainer.widgets.plot_grid import Plot, PlotGrid
from tui_trainer.widgets.run_header import RunHeader
from tui_trainer.widgets.steady_footer import SteadyFooter
from tui_trainer.widgets.too_small import TooSmall
from tui_trainer.widgets.view import preferred

TICK = 0.1
"""Seconds between two frames."""
STILL, CALM = 0.5, 1.0
"""Seconds between two frames while a run says nothing, of whose times some go on; and when it has ended."""
SETTLED = 0.3
"""Seconds after which all panels have shown what is new."""
RESTING, LULL = 2.0, 0.5
"""Seconds without news after which the screen of an ended run looks only so often for any."""
SLICE = 0.01
"""Seconds after which drawing lets a key through."""
SIDES: tuple[Slot, ...] = ("left", "right")
"""Parts of every page but the overview."""


class PanelScreen(FocusingScreen, CopyingScreen, ExportingScreen):
    """Shows what ``source`` has of ``run`` while it is on the stack of screens."""

    CSS_PATH = "panels.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (100, "normal"), (160, "wide")]
    VERTICAL_BREAKPOINTS = [(0, "short"), (22, "medium"), (34, "tall")]

    following: ClassVar[str] = ""
    """The command to go on with after an ended run, where it is none about that run."""

    def __init__(self, run: RunFolder, source: Source, page: Page = "overview") -> None:
        super().__init__()
        self.run = run
        self._feed = source
        self.lens = Lens(run)
        self._page = page
        self._changed = self._ticked = 0.0
        """Since when what was looked at last is so, and when it was shown (monotonic seconds)."""
        self._resting = False

    def compose(self) -> ComposeResult:
        self.set_reactive(PanelScreen.state, self._feed.state)  # what is known by now is in the first frame
        self._mark(self.state)
        made = self._made = sorted((panel(self.run) for panel in panels()), key=lambda panel: SLOTS.index(panel.SLOT))
        self._pages = tuple(page for page in PAGES if page == "plots" or any(page == panel.PAGE for panel in made))
        yield RunHeader(self.run.name)
        yield PageTabs(self._pages)
        with Container(id="overview", classes="page current" if self._page == "overview" else "page"):
            with Container(id="main"):
                with Container(id="curves"):
                    yield from _slot(made, "overview", "curves")
                with Container(id="middle"):
                    with Container(id="table"):
                        yield from _slot(made, "overview", "table")
                    with Container(id="status"):
                        yield from _slot(made, "overview", "status")
            with Container(id="side"):
                yield from _slot(made, "overview", "side")
        yield SteadyFooter(show_command_palette=False)
        yield TooSmall()

    def _mark(self, state: State) -> None:
        """Before there is anything to style: each of these changes how everything on the screen looks."""
        kinds = {"ascii": glyphs() is ASCII, "ended": state.ended, "watched": bool(state.origin)}
        self.add_class(*self.fitting(), *(name for name, holds in kinds.items() if holds))

    def on_mount(self) -> None:
        settings = self.trainer.settings
        self.lens.view = preferred(settings.smoothing, settings.marker)
        self._feed.start()
        self._ticking = self.set_interval(TICK, self._tick)
        self.set_interval(LULL, self._look_up)
        self._show_page(self._page)
        if self.state.origin:
            self._leave_out(self.state)
        self._take(self.state)
        for panel in self._panels():  # all of them at once: they are drawn as they are painted
            if panel.is_attached:  # those of the first page
                panel.show(self.state, self._now())
        self.lay_out()

    def on_screen_resume(self) -> None:
        self.lay_out()  # which the past may have changed

    def on_unmount(self) -> None:
        self._feed.stop()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(TooSmall).fit(event.size)
        self.fill()

    def wake(self) -> None:
        """Something moves, or is about to."""
        self._changed, self._resting = time.monotonic(), False
        self._ticking.resume()

    def _look_up(self) -> None:
        if self._resting:
            self._tick()

    def _tick(self) -> None:
        state, tick = self._feed.state, time.monotonic()
        latest = (state, self._feed.share, self.pending, self.lens.stretch, self.lens.view)
        if any(now is not before for now, before in zip_longest(latest, self._latest)):
            self._latest = latest
            self.wake()
        elif state.ended and tick - self._changed > RESTING and not self._resting and not self.moment:  # keys move the past
            self._resting = True
            self._ticking.pause()
        if tick - self._changed > SETTLED and tick - self._ticked < (CALM if state.ended else STILL):
            return
        self._ticked = tick
        self._take(state)

    def _take(self, state: State) -> None:
        self.state, now = state, self._now()
        self.query_one(RunHeader).show(self.state, now, self.pending, self._feed.share, self.moment)
        for grid in self.query(PlotGrid):
            grid.show(self.state, self.hidden("plots"))
        self._show(self._panels())

    def _show(self, panels: list[Panel[Any]]) -> None:
        """As many as there is time for, so that keys need not wait for all the plots; then the others."""
        begun = time.monotonic()
        for place, panel in enumerate(panels):
            if time.monotonic() - begun > SLICE:
                self.set_timer(SLICE / 10, partial(self._show, panels[place:]))  # a message would come before any key
                return
            if panel.is_attached:  # no longer, where the screen was left meanwhile
                panel.show(self.state, self._now())

    def watch_state(self, old: State, new: State) -> None:
        super().watch_state(old, new)
        if (old.ended, old.origin) != (new.ended, new.origin):
            self.set_class(new.ended, "ended")
            self.set_class(bool(new.origin), "watched")
            self.fill()
        if new.origin and new.series is not old.series:
            self._leave_out(new)

    def _leave_out(self, state: State) -> None:
        """Of a run of others the plots of what it never tells: their room is for the others."""
        untold = [panel for panel in self._made if isinstance(panel, CurvePanel) and panel.tells_nothing(state)]
        if set(untold) != set(self.query(".untold")):
            for panel in self._made:
                panel.set_class(panel in untold, "untold")
            self.fill()

    @property
    def pending(self) -> tuple[str, ...]:
        """Commands without an answer yet."""
        return ()

    @property
    def moment(self) -> str:
        """Which one is shown, in words, when it is not the present."""
        return ""

    # Pages

    def _show_page(self, page: Page) -> None:
        if page not in self._pages:
            self._say(f"this version has no page of {page}", "warning")
            return
        if self.has_class("zoomed"):
            self.action_zoom()
        self._page = page
        if not self.query(f"#{page}"):  # made when it is first looked at, which the first frame need not wait for
            self.mount(self._made_page(page), before=self.query_one(Footer))
            self.call_after_refresh(self.lay_out)
        for other in self.query(".page"):
            other.set_class(other.id == page, "current")
        self.query_one(PageTabs).show(page)
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        """At a page, once it is laid out."""
        if not self.all_panels(self._page):  # not composed yet
            self.call_after_refresh(self._look)
            return
        self._take(self._feed.state)
        if self._page != "overview":  # the keys of a page are those of its panels
            self._panels()[0].focus()

    def _made_page(self, page: Page) -> Container:
        if page == "plots":
            return PlotGrid(self.run)
        sides = ((slot, _slot(self._made, page, slot)) for slot in SIDES)
        return Container(*(Container(*parts, classes=side) for side, parts in sides if parts), id=page, classes="page")

    def on_page_tabs_chosen(self, chosen: PageTabs.Chosen) -> None:
        self._show_page(cast(Page, chosen.page))

    def action_show_overview(self) -> None:
        self._show_page("overview")

    def action_show_plots(self) -> None:
        self._show_page("plots")

    def action_show_classes(self) -> None:
        self._show_page("classes")

    def action_show_pictures(self) -> None:
        self._show_page("pictures")

    def action_show_details(self) -> None:
        self._show_page("details")

    # Panels

    def action_zoom(self) -> None:
        super().action_zoom()
        self.wake()

    def all_panels(self, page: Page) -> list[Panel[Any]]:
        found = list[Panel[Any]](self.query(Plot)) if page == "plots" else self._made
        return [panel for panel in found if page == panel.PAGE]

    @property
    def settled(self) -> bool:
        """Whether the page shows all that is known of the run."""
        return self._feed.looked and self._feed.share >= 1.0 and not any(panel.busy for panel in self._panels())

    def _say(self, words: str, severity: Any = "information") -> None:
        self.notify(printable(words), severity=severity, markup=False)

    def _now(self) -> float:
        """Unix seconds of what is shown."""
        return self.trainer.clock()


def _slot(made: list[Panel[Any]], page: Page, slot: Slot) -> list[Panel[Any]]:
    found = [panel for panel in made if (page, slot) == (panel.PAGE, panel.SLOT)]
    for panel in found:
        panel.set_class(panel.EXTRA, "extra")
    return found
