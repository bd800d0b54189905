"""The console on the recording that comes with the package."""

from __future__ import annotations

from typing import Unpack

from core.run.folder import RunFolder
from tui_trainer.app import Personal, TrainerApp


class DemoApp(TrainerApp):
    """Only its one screen, without a Home below it."""

    def __init__(self, run: RunFolder, speed: float, **personal: Unpack[Personal]) -> None:
        super().__init__(run.path.parent, **personal)
        self._recording, self._speed = run, speed

    def show_home(self) -> None:
        from tui_trainer.screens.demo import DemoScreen

        self.push_screen(DemoScreen(self._recording, self._speed))
