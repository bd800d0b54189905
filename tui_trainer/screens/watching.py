"""Home of who watches others: the same list, in which nothing is begun, named or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text
from textual.widgets import Static

from core.view import words
from core.watching.sources import WANTED
from tui_trainer import farewell
from tui_trainer.escape import printable
from tui_trainer.screens.home import HomeScreen
from tui_trainer.theme import Palette

NOT_HERE = frozenset({"new_run", "again", "resume", "tag", "rename", "delete", "undelete", "sweeps"})
"""What would change runs that are another's."""


class WatchingHome(HomeScreen):
    """Waits for the first files, where there are none yet, and opens the run when it is the only one."""

    def __init__(self, runs: Path, paths: Sequence[Path]) -> None:
        super().__init__(runs)
        self._paths = ", ".join(map(str, paths))
        self._waiting = False

    async def on_home_screen_scanned(self, event: HomeScreen.Scanned) -> None:
        event.prevent_default()  # Textual would call the one of Home once more
        await super().on_home_screen_scanned(event)
        if self._waiting and len(self._listed) == 1 and self.is_current:
            self.trainer.show_run(self._listed[0].run)
        self._waiting = not self._listed

    async def _set_empty(self, empty: bool) -> None:
        if empty == self._empty:
            return
        self._empty, self._waiting = empty, self._waiting or empty
        self.set_class(empty, "empty")
        if not empty:
            self.table.focus()
            return
        box = self.query_one("#first-run-box")
        box.border_title, box.border_subtitle = "nothing to watch yet", ""
        if not box.children:
            await box.mount(Static(Text(self._wanted()), id="waiting"))

    def _wanted(self) -> str:
        return printable(f"Waiting for {WANTED} in {self._paths}. They are shown as soon as they are there.")

    def _title(self, colours: Palette) -> Text:
        found = words.count(len(self._listed), "run") if self._listed else "no runs yet"
        marked = f", {len(self.marked)} marked" if self.marked else ""
        return Text.assemble(
            ("tui-trainer watch", f"bold {colours.train}"),
            (f"   {found}", colours.text),
            (marked, colours.held_out),
            (f"   in {printable(self._paths)}", colours.muted),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in NOT_HERE and super().check_action(action, parameters)

    def farewell(self) -> list[str]:
        visited = self.trainer.visited
        states = [item.state for item in self._listed if item.state and visited and item.run.path == visited.path]
        return farewell.of_run(visited, states[0]) if visited and states else []
