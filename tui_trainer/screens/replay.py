"""The run screen on the past: the same panels, and keys that lead through time in place of those that steer."""

from __future__ import annotations

from typing import ClassVar

from core.commands import Command
from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer import actions
from tui_trainer.actions import Scope
from tui_trainer.bindings import bindings
from tui_trainer.replay import Replay
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.panel import Page

FRAME = 0.25
"""Seconds between two hundredths while it plays."""
LOOKING = frozenset({"next_panel", "previous_panel", "zoom"})
"""What can be done to the run screen that changes nothing of the run; its pages besides."""


class ReplayScreen(RunScreen):
    """Over the run screen, which follows the run meanwhile."""

    SCOPE: ClassVar[Scope] = "replay"
    BINDINGS = bindings("replay", priority=True)

    def __init__(self, run: RunFolder, present: State, page: Page) -> None:
        self._replay = Replay(run, present)
        super().__init__(run, self._replay)
        self._page = page
        self._playing = False

    def on_mount(self) -> None:
        self.set_interval(FRAME, self._play_on)

    def _now(self) -> float:
        return self.state.last_time

    @property
    def moment(self) -> str:
        state = self.state
        place = f"epoch {state.epoch}, step {state.step:,} of {state.total_steps:,}" if state.total_steps else "before training"
        return f"replay: {place}{', playing' if self._playing else ''}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = actions.by_id(action)
        if known is None:
            return True
        if getattr(self.focused, "takes_text", False):
            return False
        if known.scope == "replay":
            return True
        return known.id in LOOKING or known.id.startswith("show_") or (known.scope == "anywhere" and known.id != "resume")

    def _send(self, command: Command) -> None:
        self._say("this is the past: escape leads back to the run as it is", "warning")

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

    def action_present(self) -> None:
        self.app.pop_screen()

    def _play_on(self) -> None:
        if not self._playing or self._replay.busy:
            return
        if self._replay.at_end:
            self._playing = False
        else:
            self._replay.move("hundredth", 1)
