"""One hint of the tour, over the lowest border of a screen, where nothing else is written."""

from __future__ import annotations

import time

from textual.content import Content
from textual.widgets import Static

from tui_trainer.tour import HINTS, HintId, Tour

LASTS = 40.0
"""Seconds after which one goes by itself."""
LEAST = 8.0
"""Seconds that one has for itself before the next comes."""


class HintLine(Static):
    """A screen yields one, offers it hints at their moments, and tells it what was used. Without a tour it stays empty."""

    SCOPED_CSS = False
    DEFAULT_CSS = """
    Screen { layers: default hint; }
    HintLine {
        layer: hint; dock: bottom; display: none; width: auto; height: 1; margin: 0 0 1 2; padding: 0 1; background: $surface;
    }
    HintLine.shown { display: block; }
    """

    def __init__(self, tour: Tour | None) -> None:
        super().__init__(markup=False)
        self._tour = tour
        self._hint: HintId | None = None
        self._since = 0.0

    @property
    def showing(self) -> bool:
        return self._hint is not None

    def offer(self, hint: HintId, words: str = "") -> None:
        """Show it, if it was never given before and no other one has just come."""
        if self._tour is None or hint not in self._tour.left or (self._hint and time.monotonic() - self._since < LEAST):
            return
        if self._tour.give(hint):
            self._hint, self._since = hint, time.monotonic()
            key, rest = (words or HINTS[hint]).split(" ", 1)
            self.update(Content.assemble((key, "bold $footer-key-foreground"), f" {rest}"))
            self.add_class("shown")
            self.set_timer(LASTS, lambda: self.used(hint))

    def used(self, *hints: HintId) -> None:
        """What these tell of is known: they go, or never come."""
        for hint in hints if self._tour else ():
            if hint == self._hint:
                self._hint = None
                self.remove_class("shown")
            elif self._tour:
                self._tour.give(hint)
