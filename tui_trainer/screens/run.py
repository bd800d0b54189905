"""The run screen: what a run is now, and the keys that steer it."""

from __future__ import annotations

import time

from textual import work
from textual.app import ComposeResult

from core.commands import Stop
from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer import farewell
from tui_trainer.bindings import bindings
from tui_trainer.feed import Feed
from tui_trainer.possible import is_live
from tui_trainer.screens.question import QUIT
from tui_trainer.screens.steering import SteeringScreen
from tui_trainer.widgets.hint_line import HintLine


class RunScreen(SteeringScreen):
    """Follows ``run``, which ``feed`` may be reading already. Nothing that happens here ends the training, except Stop."""

    SCOPE = "run"
    BINDINGS = bindings("run")

    def __init__(self, run: RunFolder, feed: Feed | None = None) -> None:
        super().__init__(run, feed or Feed(run, lambda: self.trainer.clock()))
        self._stopping = False
        """Told to stop by whoever leaves."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield HintLine(self.trainer.tour)

    def on_screen_suspend(self) -> None:
        self.query_one(HintLine).used("detach")

    def on_unmount(self) -> None:
        self.trainer.tell_terminal(self.trainer.outside.restore())

    def watch_state(self, old: State, new: State) -> None:
        super().watch_state(old, new)
        self.hear(new)

    def _take(self, state: State) -> None:
        super()._take(state)
        self._guide(state)
        if self._feed.looked:  # until then a run that has ended may look alive
            self.trainer.tell_terminal(self.trainer.outside.show(self.run.name, state, time.monotonic()))

    def _guide(self, state: State) -> None:
        """Give the hints of the tour at their moments, but over nothing that is larger than usual."""
        line = self.query_one(HintLine)
        if self._page != "overview":
            line.used("pages")
        elif self._feed.looked and self.is_current and not self.has_class("zoomed"):
            if state.status == "running" and state.windows:
                line.offer("detach")
            if state.measurements or state.ended:
                line.offer("pages")

    def farewell(self) -> list[str]:
        return farewell.of_run(self.run, self.state, self._stopping)

    def action_detach(self) -> None:
        self.trainer.leave()

    @work
    async def action_quit(self) -> None:
        choice = "detach" if not is_live(self.state) else await self._choose("This run is still training.", QUIT)
        if choice == "stop":
            self._send(Stop())
            self._stopping = True
        if choice in ("detach", "stop"):
            self.trainer.leave()

    def action_resume(self) -> None:
        self.resume()

    def action_home(self) -> None:
        if self.has_class("zoomed"):
            self.action_zoom()
        else:
            self.trainer.show_home()

    def action_replay(self) -> None:
        from tui_trainer.screens.replay import ReplayScreen

        self.app.push_screen(ReplayScreen(self.run, self.state, self._page))
