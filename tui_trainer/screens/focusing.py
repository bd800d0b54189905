"""Going from panel to panel, and looking at one alone."""

from __future__ import annotations

from typing import Any

from tui_trainer.screens.arranged import ArrangedScreen
from tui_trainer.widgets.panel import Panel


class FocusingScreen(ArrangedScreen):
    """Of the page that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self._latest: tuple[object, ...] = ()
        """What was looked at last; without it all is looked at anew."""

    def action_next_panel(self) -> None:
        self._focus_panel(1)

    def action_previous_panel(self) -> None:
        self._focus_panel(-1)

    def action_zoom(self) -> None:
        """Zoomed, every panel can be reached, those too that this terminal has no room for."""
        zoomed, self._latest = not self.has_class("zoomed"), ()
        self.set_class(zoomed, "zoomed")
        self._zoom(self._focused_panel() or self._panels()[0], zoomed)

    def _zoom(self, panel: Panel[Any], zoomed: bool) -> None:
        self.query(".zoom").remove_class("zoom")
        for widget in (panel, *panel.ancestors) if zoomed else ():
            widget.add_class("zoom")
        panel.focus()

    def _focus_panel(self, step: int) -> None:
        zoomed = self.has_class("zoomed")
        reachable = [panel for panel in self._panels() if zoomed or panel.is_on_screen]
        focused = self._focused_panel()
        if focused in reachable:
            panel = reachable[(reachable.index(focused) + step) % len(reachable)]
        else:
            panel = reachable[0 if step > 0 else -1]
        if zoomed:
            self._zoom(panel, True)
        panel.focus()

    def _focused_panel(self) -> Panel[Any] | None:
        """Not one of another page, which keeps the focus while that is away."""
        return self.focused if isinstance(self.focused, Panel) and self.focused in self._panels() else None

    def _panels(self) -> list[Panel[Any]]:
        """Of the page that is shown; the others are not drawn meanwhile."""
        return [panel for panel in self.all_panels(self._page) if not (panel.has_class("hidden") or panel.has_class("untold"))]

    @property
    def headings(self) -> dict[str, Panel[Any]]:
        """The page's panels by what they are called."""
        return {panel.heading: panel for panel in self._panels()}
