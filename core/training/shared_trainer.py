"""The training loop of one of several processes: whatever must happen at the same step on all of them is agreed upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from core.training.agreeing import AgreedControl, SharedSaver, way_back
from core.training.control import Control
from core.training.progress import Amendment, Progress
from core.training.rollback import WayBack
from core.training.setup import Setup
from core.training.shared_steps import SharedSteps
from core.training.steps import Steps
from core.training.trainer import Trainer


class SharedTrainer(Trainer):
    """``control`` is what this process is told; all do what the first one is."""

    STEPS: ClassVar[type[Steps]] = SharedSteps

    def __init__(
        self, setup: Setup, progress: Progress, control: Control, saver: SharedSaver, again: tuple[Amendment, ...] = ()
    ) -> None:
        assert setup.ranks
        self._ranks = setup.ranks
        self._agreed = AgreedControl(setup.ranks, control, saver, self._clock)
        super().__init__(setup, progress, self._agreed, saver, again)

    def window_due(self) -> bool:
        return self._agreed.due.window

    def retry_due(self) -> bool:
        return self._agreed.due.retry

    def _clock(self) -> tuple[bool, bool]:
        """By this process's own."""
        return super().window_due(), super().retry_due()

    def way_back(self, find: Callable[[], WayBack]) -> WayBack:
        """Found by the first rank alone, who tells the others once they listen: what it begins from it hands over later."""
        return way_back(self._ranks, find) if self._agreed.met else find()

    def commands_done(self) -> None:
        """A copy may wait for the disk, for which the next step's patience is too short."""
        self._ranks.together.wait()
