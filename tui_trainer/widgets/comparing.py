"""Panels that show a measurement by class, or two of them compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic

from rich.text import Text

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.actions import Scope
from tui_trainer.bindings import bindings, keymap
from tui_trainer.comparison import Comparison
from tui_trainer.keymap import Hint
from tui_trainer.theme import Palette
from tui_trainer.widgets.panel import Panel, Reads


class ComparingPanel(Panel[Reads], Generic[Reads]):
    """All of them on a screen show what was chosen in any of them."""

    PAGE = "classes"
    SCOPES: ClassVar[tuple[Scope, ...]] = ("classes",)
    BINDINGS = bindings("classes")
    HINT: ClassVar[Hint] = (("compare", "compare"),)
    HINT_COMPARED: ClassVar[Hint] = (("compare", "ends it"),)

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run)
        self._comparison = Comparison(run)
        self._state, self._now = State(), 0.0

    @property
    def comparison(self) -> Comparison:
        """The one of the first such panel."""
        first: Comparison = self.screen.query(ComparingPanel).first()._comparison
        return first

    def show(self, state: State, now: float) -> None:
        self._state, self._now = state, now
        super().show(state, now)
        if self.comparison.waits:
            self.comparison.working = True
            self.run_worker(self.comparison.work, thread=True)

    def again(self, change: Callable[[], None]) -> None:
        """Change what is chosen, and show it at once."""
        change()
        for panel in self.screen.query(ComparingPanel):
            panel.show(self._state, self._now)

    def subtitle(self, reads: Reads, colours: Palette) -> Text | None:
        hint = keymap(self).hint(*(self.HINT_COMPARED if self.comparison.on else self.HINT))
        return Text(hint, colours.muted) if hint else None

    def action_compare(self) -> None:
        self.again(self.comparison.toggle)

    def action_later_back(self) -> None:
        self._choose("later", -1)

    def action_later_on(self) -> None:
        self._choose("later", 1)

    def action_earlier_back(self) -> None:
        self._choose("earlier", -1)

    def action_earlier_on(self) -> None:
        self._choose("earlier", 1)

    def _choose(self, which: str, step: int) -> None:
        self.again(lambda: self.comparison.choose(self._state, which, step))
