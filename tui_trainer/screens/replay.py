"""A run as it was: the same panels, and keys that lead through time in place of those that steer."""

from __future__ import annotations

from typing import ClassVar

from core.run.folder import RunFolder
from core.view import outcome
from core.view.replay import Kind
from core.view.state import State
from tui_trainer.actions import Scope
from tui_trainer.bindings import bindings
from tui_trainer.replay import Replay
from tui_trainer.screens.panels import PanelScreen
from tui_trainer.widgets.panel import Page

FRAME = 0.25
"""Seconds between two hundredths while it plays."""


class ReplayScreen(PanelScreen):
    """Over the run screen, which follows the run meanwhile."""

    SCOPE: ClassVar[Scope] = "replay"
    FIRST = True
    BINDINGS = bindings("replay", priority=True)

    def __init__(self, run: RunFolder, present: State, page: Page) -> None:
        self._replay = Replay(run, present)
        super().__init__(run, self._replay, page)
        self._playing = False

    def on_mount(self) -> None:
        self.set_interval(self.frame, self._play_on)

    @property
    def frame(self) -> float:
        """Seconds between two moves while it plays."""
        return FRAME

    def stride(self) -> tuple[Kind, int]:
        """How far the next of them leads."""
        return "hundredth", 1

    def _take(self, state: State) -> None:
        self.lens.until = self._replay.place
        super()._take(state)

    def _now(self) -> float:
        return self.state.last_time

    @property
    def moment(self) -> str:
        state = self.state
        of = f" of {state.total_steps:,}" if state.total_steps else ""
        place = f"epoch {state.epoch}, step {state.step:,}{of}" if state.begun else "before training"
        place = outcome.place(state) if state.origin else place
        return f"{self.called}: {place}{', playing' if self._playing else ''}"

    @property
    def called(self) -> str:
        return "replay"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is typed into a search is no key of the screen."""
        return not getattr(self.focused, "takes_text", False)

    def action_back(self) -> None:
        self._replay.move("hundredth", -1)

    def action_forward(self) -> None:
        self._replay.move("hundredth", 1)

    def action_previous_epoch(self) -> None:
        self._replay.move("epoch", -1)

    def action_next_epoch(self) -> None:
        self._replay.move("epoch", 1)

    def action_previous_mark(self) -> None:
        self._replay.move("mark", -1)

    def action_next_mark(self) -> None:
        self._replay.move("mark", 1)

    def action_to_start(self) -> None:
        self._replay.move("start")

    def action_to_end(self) -> None:
        self._replay.move("end")

    def action_play(self) -> None:
        """From the beginning, where it has come to the end."""
        if not self._playing and self._replay.at_end:
            self._replay.move("start")
        self._playing = not self._playing

    async def action_quit(self) -> None:
        """As in the present, which knows what becomes of the run."""
        below = self.app.screen_stack[-2]
        self.app.pop_screen()
        await below.run_action("quit")

    def action_present(self) -> None:
        self.app.pop_screen()

    def _play_on(self) -> None:
        if not self._playing or self._replay.busy:
            return
        if self._replay.at_end:
            self._playing = False
        else:
            self._replay.move(*self.stride())
