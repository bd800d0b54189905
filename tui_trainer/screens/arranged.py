"""Which panels a page shows: a person's choice, by recipe. What is hidden leaves its room to the others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from textual import work
from textual.containers import Container

from core.errors import UserError
from core.run.folder import RunFolder
from tui_trainer import panels
from tui_trainer.bindings import ActionScreen
from tui_trainer.escape import printable
from tui_trainer.screens.question import Entry
from tui_trainer.widgets.curve_panel import CurvePanel
from tui_trainer.widgets.panel import PAGES, Page, Panel

RESET = "\n"
"""The entry that shows all again; no panel has that name."""
FEW = 2
"""Curves that are better one below the other than beside a gap."""


class ArrangedScreen(ActionScreen):
    """``_page`` is the one that is shown."""

    run: RunFolder
    _page: Page

    def __init__(self) -> None:
        super().__init__()
        self._filled = False
        self._chosen: dict[Page, frozenset[str]] = {}
        """What was hidden here where settings say otherwise, which is not kept."""

    def all_panels(self, page: Page) -> list[Panel[Any]]:
        """Of a page, hidden or not."""
        raise NotImplementedError

    def hidden(self, page: Page) -> frozenset[str]:
        """Names of its panels that are not shown."""
        if page in self._chosen:
            return self._chosen[page]
        settled = self._settled(page)
        return frozenset(self.trainer.memory.layout(self._recipe).get(page, ()) if settled is None else settled)

    def _settled(self, page: Page) -> Sequence[str] | None:
        """What a person's settings say of a page."""
        layouts = self.trainer.settings.layouts
        found = (layouts[name][page] for name in (self._recipe, "default") if page in layouts.get(name, {}))
        return next(found, None)

    def lay_out(self) -> None:
        """Hide what is to be hidden; never all of a page."""
        for page in PAGES:
            hidden, found = self.hidden(page), self.all_panels(page)
            some = any(name_of(panel) not in hidden for panel in found)
            for panel in found:
                panel.set_class(some and name_of(panel) in hidden, "hidden")
        self.fill()

    def fill(self) -> None:
        """Give the room of what is hidden to the others. As delivered nothing is, and nothing has to be done for it."""
        if self._filled or self.query("Panel.hidden, Panel.untold"):
            self._filled = True
            self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        """What is left takes the room, once it is known what of it this terminal shows."""
        if self.has_class("zoomed"):
            return
        for box in self.query(Container):
            shown = [panel for panel in box.query(Panel) if panel.display]
            box.set_class(not shown and bool(box.query(Panel)), "vacant")
            box.set_class(len(shown) <= FEW, "few")
            if isinstance(box.parent, Container):
                box.parent.set_class(box.has_class("vacant"), f"no-{box.id}")
            for panel in shown:
                if panel.parent is box:
                    panel.set_class(len(shown) == 1, "lone")

    @work
    async def action_arrange(self) -> None:
        """One after the other, until it is left."""
        from tui_trainer.screens.pick import PickScreen

        place = 0
        while True:
            found = self.all_panels(self._page)
            entries = [_entry(panel) for panel in found]
            entries.append(Entry(RESET, "All of them", "as delivered"))
            title, hint = f"Panels on the page {self._page}", "enter shows or hides, esc leaves"
            chosen = await self.app.push_screen_wait(PickScreen(title, entries, hint, place))
            if chosen is None:
                return
            place = [entry.id for entry in entries].index(chosen)
            self._toggle(chosen, found)

    def _toggle(self, name: str, found: Sequence[Panel[Any]]) -> None:
        hidden = frozenset[str]() if name == RESET else self.hidden(self._page) ^ {name}
        if all(name_of(panel) in hidden for panel in found):
            self.notify("one panel has to stay", severity="warning", markup=False)
            return
        if self._settled(self._page) is not None:
            self._chosen[self._page] = hidden
            self.notify("the settings say otherwise of this page, so this is not kept", markup=False)
        else:
            kept = {**self.trainer.memory.layout(self._recipe), self._page: tuple(sorted(hidden))}
            self.trainer.memory.remember_layout(self._recipe, kept)
        self.lay_out()

    @property
    def _recipe(self) -> str:
        if not self.state.recipe:
            with suppress(UserError, OSError):
                return printable(str(self.run.read().recipe.get("name", "")))
        return printable(self.state.recipe)


def _entry(panel: Panel[Any]) -> Entry:
    hidden = panel.has_class("hidden")
    title = panel.metric.heading if isinstance(panel, CurvePanel) else panel.NAME
    return Entry(name_of(panel), f"[{' ' if hidden else 'x'}] {title}", "hidden" if hidden else "shown")


def name_of(panel: Panel[Any]) -> str:
    """As settings have it."""
    return panel.metric.name if panel.PAGE == "plots" and isinstance(panel, CurvePanel) else panels.name(type(panel))
