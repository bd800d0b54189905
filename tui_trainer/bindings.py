"""From the table of actions to Textual: a screen's key bindings, and the screen that enables them by its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingsMap, BindingType
from textual.dom import DOMNode
from textual.events import Mount
from textual.reactive import reactive
from textual.screen import Screen

from core.view.state import State
from tui_trainer import actions, reasons, theme
from tui_trainer.actions import Action, Scope
from tui_trainer.escape import printable
from tui_trainer.keymap import Keymap

if TYPE_CHECKING:
    from tui_trainer.app import TrainerApp
    from tui_trainer.screens.question import Choice, Entry, Question


def bindings(scope: Scope, priority: bool = False, keymap: Keymap = Keymap()) -> list[BindingType]:
    """Bindings of a screen or a panel. Only an action's first key is in the footer. ``priority``: they come before those of the
    focus."""
    return [
        Binding(key, action.id, action.label, show=action.in_footer and place == 0, tooltip=action.help, priority=priority)
        for action in actions.for_scope(scope)
        for place, key in enumerate(keymap.keys(action))
    ]


def keymap(node: DOMNode) -> Keymap:
    """The keys in force where a screen or a panel is."""
    return cast("TrainerApp", node.app).keymap


def rebind(node: DOMNode, *scopes: Scope, priority: bool = False) -> None:
    """Give a screen or a panel the keys in force, where a person has chosen some. Textual's own keymap would take every binding
    of a key away when one of them moves, and 'pause' and 'continue' share theirs."""
    if not (chosen := keymap(node)).chosen:
        return
    made = BindingsMap([binding for scope in scopes for binding in bindings(scope, priority, chosen)])
    for key, binding in node._bindings:
        if key not in made.key_to_bindings and actions.by_id(binding.action) is None:
            made.key_to_bindings[key] = node._bindings.key_to_bindings[key]
    node._bindings = made


class ActionScreen(Screen[None]):
    """A screen whose actions come from the table; ``state`` is the run that they are about."""

    SCOPE: ClassVar[Scope]
    FIRST: ClassVar[bool] = False
    """Whether its keys come before those of the focus."""

    state: reactive[State] = reactive(State, init=False, repaint=False)  # its widgets see to themselves

    @property
    def trainer(self) -> TrainerApp:
        return cast("TrainerApp", self.app)

    @property
    def keymap(self) -> Keymap:
        return keymap(self)

    def fitting(self) -> list[str]:
        """Its classes for the size of the terminal. Textual adds them once the screen is laid out, when all that is on it has
        to be styled anew for that; a screen that has them before it composes is styled once."""
        sizes = zip(self.app.size, (self.HORIZONTAL_BREAKPOINTS or (), self.VERTICAL_BREAKPOINTS or ()), strict=True)
        return [max(step for step in steps if size >= step[0])[1] for size, steps in sizes if steps]

    def _on_mount(self, event: Mount) -> None:
        """Beside ``on_mount``, which the screens have for themselves."""
        super()._on_mount(event)
        rebind(self, self.SCOPE, priority=self.FIRST)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        known = actions.by_id(action)
        return known is None or known.enabled(self.state)

    def watch_state(self, old: State, new: State) -> None:
        if actions.enabled_ids(self.SCOPE, old) != actions.enabled_ids(self.SCOPE, new):
            self.refresh_bindings()

    def why_not(self, action: Action) -> str:
        """Why it cannot be done now, in words that name the keys in force; empty when it can."""
        return reasons.why_not(action, self.state, self.keymap.named)

    def offered(self) -> Iterator[tuple[DOMNode, Action]]:
        """What can be done now, by the screen itself and by the panel that has the focus."""
        nodes: list[tuple[DOMNode, Scope]] = [(self, self.SCOPE)]
        nodes += [(self.focused, scope) for scope in self._panel_scopes() if self.focused]
        found = ((node, action) for node, scope in nodes for action in actions.for_scope(scope))
        return ((node, action) for node, action in found if action.enabled(self.state) and node.check_action(action.id, ()))

    def _panel_scopes(self) -> tuple[Scope, ...]:
        """Of the panel that has the focus."""
        return getattr(self.focused, "SCOPES", ())

    def action_next_theme(self) -> None:
        self.app.theme = theme.next_theme(self.app.theme)

    def action_help(self) -> None:
        from tui_trainer.screens.help import HelpScreen

        self.app.push_screen(HelpScreen((*self._panel_scopes(), self.SCOPE, *actions.SHARED.get(self.SCOPE, ()))))

    # Dialogs, each loaded when it is opened

    async def _ask(self, question: Question) -> str | None:
        from tui_trainer.screens.ask import AskScreen

        return await self.app.push_screen_wait(AskScreen(question))

    async def _pick(self, title: str, entries: Sequence[Entry]) -> str | None:
        from tui_trainer.screens.pick import PickScreen

        return await self.app.push_screen_wait(PickScreen(title, entries))

    async def _choose(self, question: str, choices: tuple[Choice, ...]) -> str:
        from tui_trainer.screens.confirm import ConfirmScreen

        return await self.app.push_screen_wait(ConfirmScreen(printable(question), choices))

    async def _confirmed(self, question: str, choices: tuple[Choice, ...]) -> bool:
        return await self._choose(question, choices) == choices[0].id
