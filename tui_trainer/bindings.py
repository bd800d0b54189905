"""From the table of actions to Textual: a screen's key bindings, and the screen that enables them by its state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen

from core.view.state import State
from tui_trainer import actions, theme
from tui_trainer.actions import Action, Scope


def bindings(scope: Scope, priority: bool = False) -> list[BindingType]:
    """Bindings of a screen. Only an action's first key is in the footer. ``priority``: they come before those of the focus."""
    return _bindings(actions.for_scope(scope), priority)


def panel_bindings(scope: Scope) -> list[BindingType]:
    """Bindings of a panel, which hold while it is focused; what goes for every scope is its screen's."""
    return _bindings(action for action in actions.TABLE if action.scope == scope)


def _bindings(found: Iterable[Action], priority: bool = False) -> list[BindingType]:
    return [
        Binding(key, action.id, action.label, show=action.in_footer and place == 0, tooltip=action.help, priority=priority)
        for action in found
        for place, key in enumerate(action.keys)
    ]


class ActionScreen(Screen[None]):
    """A screen whose actions come from the table; ``state`` is the run that they are about."""

    SCOPE: ClassVar[Scope]

    state: reactive[State] = reactive(State, init=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = actions.by_id(action)
        return known is None or known.enabled(self.state)

    def watch_state(self, old: State, new: State) -> None:
        if actions.enabled_ids(self.SCOPE, old) != actions.enabled_ids(self.SCOPE, new):
            self.refresh_bindings()

    def action_next_theme(self) -> None:
        self.app.theme = theme.next_theme(self.app.theme)

    def action_help(self) -> None:
        from tui_trainer.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())
