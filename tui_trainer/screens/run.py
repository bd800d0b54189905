"""The run screen: what a run is now, and the keys that steer it."""

from __future__ import annotations

import time

from rich.text import Text
from textual import work

from core.commands import Stop
from core.run.folder import RunFolder, reference
from core.view.state import State
from tui_trainer.bindings import bindings
from tui_trainer.escape import printable
from tui_trainer.feed import Feed
from tui_trainer.screens.question import QUIT
from tui_trainer.screens.steering import SteeringScreen


class RunScreen(SteeringScreen):
    """Follows ``run``, which ``feed`` may be reading already. Nothing that happens here ends the training, except Stop."""

    SCOPE = "run"
    BINDINGS = bindings("run")

    def __init__(self, run: RunFolder, feed: Feed | None = None) -> None:
        super().__init__(run, feed or Feed(run, lambda: self.trainer.clock()))

    def on_unmount(self) -> None:
        self.trainer.tell_terminal(self.trainer.outside.restore())

    def watch_state(self, old: State, new: State) -> None:
        super().watch_state(old, new)
        self.hear(new)

    def _take(self, state: State) -> None:
        super()._take(state)
        if self._feed.looked:  # until then a run that has ended may look alive
            self.trainer.tell_terminal(self.trainer.outside.show(self.run.name, state, time.monotonic()))

    def action_detach(self) -> None:
        self._leave("Training goes on. Come back with: tui-trainer attach")

    @work
    async def action_quit(self) -> None:
        if self.state.ended:
            self.app.exit()
            return
        choice = await self._choose("This run is still training.", QUIT)
        if choice == "detach":
            self.action_detach()
        elif choice == "stop":
            self._send(Stop())
            self._leave("Saving, then stopping. See: tui-trainer show")

    def _leave(self, words: str) -> None:
        self.app.exit(message=Text(printable(f"{words} {reference(self.run)}")))

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
