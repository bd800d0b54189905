"""The one line that a terminal below the least size shows in place of a screen."""

from __future__ import annotations

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

TOO_SMALL = "too-small"
"""The class of a screen that is not shown for that."""
LEAST = Size(60, 16)
"""Columns and rows below which no screen is readable."""


def too_small(size: Size) -> bool:
    return size.width < LEAST.width or size.height < LEAST.height


class TooSmall(Static):
    """Stands in for everything else on its screen while the terminal is too small.

    A screen yields one, last, and calls :meth:`fit` from its ``on_resize``.
    """

    SCOPED_CSS = False
    DEFAULT_CSS = """
    TooSmall { display: none; width: 100%; height: 100%; padding: 0 1; content-align: center middle; text-align: center; }
    Screen.too-small > * { display: none !important; }
    Screen.too-small > TooSmall { display: block !important; }
    """

    _focused: Widget | None = None

    def fit(self, size: Size) -> None:
        """Show or hide the notice for a terminal of ``size``."""
        small, screen = too_small(size), self.screen
        if small and not screen.has_class(TOO_SMALL):
            self._focused = screen.focused  # which loses the focus as it is hidden
        elif not small and screen.has_class(TOO_SMALL):
            screen.call_after_refresh(screen.set_focus, self._focused, from_app_focus=True)  # what is typed goes on
        screen.set_class(small, TOO_SMALL)
        needed = f"needs {LEAST.width}x{LEAST.height}"
        self.update(Text(f"This terminal is {size.width}x{size.height}; tui-trainer {needed}."))
