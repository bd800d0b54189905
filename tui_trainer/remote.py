"""The console on a run of another machine: on its mirror, in that machine's time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Unpack

from rich.text import Text

from core.remote.mirrored import Mirrored
from core.run import link
from tui_trainer.app import Personal, TrainerApp
from tui_trainer.escape import printable

if TYPE_CHECKING:
    from tui_trainer.screens.home import HomeScreen

LOOK = 0.5
"""Seconds between two looks at whether the process that mirrors the run is there."""


class RemoteApp(TrainerApp):
    def __init__(self, mirrored: Mirrored, **personal: Unpack[Personal]) -> None:
        known = link.read(mirrored.run.path)
        ahead = known.ahead if known else 0.0
        super().__init__(mirrored.root, mirrored.run, lambda: time.time() + ahead, **personal)
        self.address = known.address if known else ""
        self._mirrored = mirrored

    def on_mount(self) -> None:
        self.set_interval(LOOK, self._look_after)

    def _look_after(self) -> None:
        """Without what mirrors it a run would soon look lost, which it is not."""
        if why := self._mirrored.ended():
            lines = f"what mirrors the run here has ended ({why}); training there goes on", f"tui-trainer attach {self.address}"
            self.exit(return_code=3, message=Text("\n".join(map(printable, lines))))

    def home(self) -> HomeScreen:
        from tui_trainer.screens.remote import RemoteHome

        return RemoteHome(self.runs, self.address)
