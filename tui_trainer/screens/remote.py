"""Home of who looks at a run of another machine: that one, which is neither named nor deleted from here."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from tui_trainer.escape import printable
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.watching import NOT_HERE
from tui_trainer.theme import Palette


class RemoteHome(HomeScreen):
    def __init__(self, runs: Path, address: str) -> None:
        super().__init__(runs)
        self._address = address

    async def _set_empty(self, empty: bool) -> None:
        await super()._set_empty(False)

    def _title(self, colours: Palette) -> Text:
        return Text.assemble(("tui-trainer attach", f"bold {colours.train}"), (f"   {printable(self._address)}", colours.text))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in NOT_HERE and super().check_action(action, parameters)
