"""The console on what others wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.view.comparing import FEWEST, MOST
from core.watching.watching import Watching
from tui_trainer.app import TrainerApp
from tui_trainer.memory import Memory
from tui_trainer.settings import Settings

if TYPE_CHECKING:
    from tui_trainer.screens.home import HomeScreen


class WatchingApp(TrainerApp):
    """Opens on the run, where there is one; on several side by side, where each was named; else on the list of them."""

    def __init__(
        self, found: Watching, paths: Sequence[Path], settings: Settings = Settings(), memory: Memory | None = None
    ) -> None:
        runs = found.runs
        named = len(paths) == len(runs) and FEWEST <= len(runs) <= MOST
        super().__init__(
            found.root, attach=runs[0] if len(runs) == 1 else None, settings=settings, memory=memory,
            compare=runs if named else (), by="step",
        )  # fmt: skip
        self.paths = tuple(paths)

    def home(self) -> HomeScreen:
        from tui_trainer.screens.watching import WatchingHome

        return WatchingHome(self.runs, self.paths)
