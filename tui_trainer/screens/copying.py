"""What the focused panel and the run say, to be copied where the terminal lets a program do that (OSC 52)."""

from __future__ import annotations

from collections.abc import Iterator

from textual import work

from core.run.folder import RunFolder, reference, whereabouts
from tui_trainer.escape import printable
from tui_trainer.possible import can_resume
from tui_trainer.screens.arranged import ArrangedScreen
from tui_trainer.screens.question import Entry
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.panel import Panel


class CopyingScreen(ArrangedScreen):
    @work
    async def action_copy(self) -> None:
        from tui_trainer.screens.pick import PickScreen

        found = dict(self.values())
        entries = [Entry(name, name, value) for name, value in found.items()]
        chosen = await self.app.push_screen_wait(PickScreen("Copy", entries, "enter copies, esc leaves"))
        if chosen is not None:
            self._copy(chosen, found[chosen])

    def _copy(self, name: str, value: str) -> None:
        """Only what prints: what is pasted into a shell must be what one has seen."""
        if printable(value) != value:
            self.notify(f"not copied, since it holds what does not print: {printable(value)}", severity="error", markup=False)
            return
        self.app.copy_to_clipboard(value)
        self.notify(f"{name} given to the terminal's clipboard: {value}", markup=False)

    def values(self) -> Iterator[tuple[str, str]]:
        """Each with what it is called; those of the panel first."""
        if isinstance(self.focused, Panel):
            yield from self.focused.values()
        yield "run", self.run.name
        here = RunFolder(self.run.path.absolute())
        yield "folder", self.state.address or str(here.path)
        if self.state.weights:
            yield "weights", whereabouts(here, self.state.weights)
        yield "command", f"tui-trainer {self._next_verb()} {reference(self.run)}"
        if self.state.stopping.best is not None:
            yield f"best {printable(self.state.stopping.metric)}", short(self.state.stopping.best)

    def _next_verb(self) -> str:
        if not self.state.ended:
            return "attach"
        return "resume" if can_resume(self.state) else "evaluate"
