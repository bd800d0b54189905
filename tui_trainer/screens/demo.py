"""A recorded run, played as a time-lapse; what would steer it says that there is nothing to steer."""

from __future__ import annotations

import time

from rich.text import Text
from textual import events

from core.run.folder import RunFolder
from core.view.replay import Kind
from core.view.summary import opening
from tui_trainer import actions
from tui_trainer.screens.replay import ReplayScreen

FRAME = 0.2
"""Seconds between two moves while it plays; more where it plays slowly, since a move is of whole seconds."""
START = "tui-trainer train quickstart"


class DemoScreen(ReplayScreen):
    """Plays at once, ``speed`` times as fast as it was trained."""

    following = START

    def __init__(self, run: RunFolder, speed: float) -> None:
        super().__init__(run, opening(run), "overview")
        self.speed = speed
        self._moved = 0.0
        """When it last began to move on (monotonic seconds)."""

    def on_mount(self) -> None:
        self.action_play()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no present to go back to."""
        return action != "present" and super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Those that steer on the run screen say why they do nothing."""
        meant = [action for action in actions.for_scope("run") if event.key in action.keys]
        if meant and event.key not in self.active_bindings and not getattr(self.focused, "takes_text", False):
            event.stop()
            self._say(f"{meant[0].label}: this is a recording. Steer your own run: {START}")

    @property
    def frame(self) -> float:
        return max(FRAME, 1 / self.speed)

    def stride(self) -> tuple[Kind, int]:
        """As far as time has gone on, also where the screen is slow."""
        now = time.monotonic()
        since, self._moved = now - self._moved, now
        return "second", max(round(since * self.speed), 1)

    def action_play(self) -> None:
        super().action_play()
        self._moved = time.monotonic()

    @property
    def called(self) -> str:
        return f"demo {self.speed:g}x"

    async def action_quit(self) -> None:
        self.app.exit(message=Text(f"That was a recording. Train for yourself: {START}"))
