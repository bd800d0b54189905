"""The line of keys at the foot of a screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

ROOMY = 68
"""Columns that all keys of a living run take."""
DISPENSABLE = ("zoom", "detach")
"""Actions whose keys are left out for the others' sake where there is less; the help has them."""


class SteadyFooter(Footer):
    """Composed anew only where it would look otherwise. Textual's own is at every change of the focus, which takes as long as
    all the rest of a key's way to the screen."""

    DEFAULT_CSS = "SteadyFooter.few .dispensable { display: none; }"

    _composed: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        if self._bindings_ready:
            self._composed = tuple(self._keys(self.screen))
        for key in super().compose():
            if isinstance(key, FooterKey) and key.action in DISPENSABLE:
                key.add_class("dispensable")
            yield key

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < ROOMY, "few")

    def bindings_changed(self, screen: Screen[Any]) -> None:
        if not self._composed or screen is not self.screen or tuple(self._keys(screen)) != self._composed:
            super().bindings_changed(screen)

    def _keys(self, screen: Screen[Any]) -> Iterator[object]:
        for _, binding, enabled, tooltip in screen.active_bindings.values():
            if binding.show:
                yield self.app.get_key_display(binding), binding.action, binding.description, enabled, tooltip
