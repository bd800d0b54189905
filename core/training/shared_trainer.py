"""The training loop of one of several processes: whatever must happen at the same step on all of them is agreed upon."""

from __future__ import annotations

from typing import ClassVar

from core.training.agreeing import AgreedControl, SharedSaver
from core.training.control import Control, Refused
from core.training.progress import Amendment, Progress
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

    def check_way_back(self) -> None:
        if self._agreed.met:
            raise Refused("several processes train this run: stop it, then tui-trainer resume --from")

    def commands_done(self) -> None:
        """A copy may wait for the disk, for which the next step's patience is too short."""
        self._ranks.together.wait()
