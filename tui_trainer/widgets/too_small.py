"""The one line that a terminal below the least size shows in place of a screen."""

from __future__ import annotations

from rich.text import Text
from textual.geometry import Size
from textual.widgets import Static

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

    def fit(self, size: Size) -> None:
        """Show or hide the notice for a terminal of ``size``."""
        self.screen.set_class(too_small(size), "too-small")
        needed = f"needs {LEAST.width}x{LEAST.height}"
        self.update(Text(f"This terminal is {size.width}x{size.height}; tui-trainer {needed}."))
