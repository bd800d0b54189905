"""The console on the recording that comes with the package."""

from __future__ import annotations

from core.run.folder import RunFolder
from tui_trainer.app import TrainerApp
from tui_trainer.memory import Memory
from tui_trainer.settings import Settings


class DemoApp(TrainerApp):
    """Only its one screen, without a Home below it."""

    def __init__(self, run: RunFolder, speed: float, settings: Settings = Settings(), memory: Memory | None = None) -> None:
        super().__init__(run.path.parent, settings=settings, memory=memory)
        self._recording, self._speed = run, speed

    def show_home(self) -> None:
        from tui_trainer.screens.demo import DemoScreen

        self.push_screen(DemoScreen(self._recording, self._speed))
