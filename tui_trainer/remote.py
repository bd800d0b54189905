"""The console on a run of another machine: on its mirror, in that machine's time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Unpack

from core.remote.mirrored import Mirrored
from core.run import link
from tui_trainer.app import Personal, TrainerApp

if TYPE_CHECKING:
    from tui_trainer.screens.home import HomeScreen


class RemoteApp(TrainerApp):
    def __init__(self, mirrored: Mirrored, **personal: Unpack[Personal]) -> None:
        known = link.read(mirrored.run.path)
        ahead = known.ahead if known else 0.0
        super().__init__(mirrored.root, mirrored.run, lambda: time.time() + ahead, **personal)
        self.address = known.address if known else ""

    def home(self) -> HomeScreen:
        from tui_trainer.screens.remote import RemoteHome

        return RemoteHome(self.runs, self.address)
