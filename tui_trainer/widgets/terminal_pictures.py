"""The pictures that the terminal has in its memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.signal import Signal
from textual.strip import Strip

from tui_trainer import pixels
from tui_trainer.widgets import kitty
from tui_trainer.widgets.heat import few_colours
from tui_trainer.widgets.kitty import Pixels
from tui_trainer.widgets.picture_shelf import Key


class TerminalPictures:
    """Of the whole console. The terminal is asked whether it has any when they are first wanted, and nobody waits for its
    answer."""

    def __init__(self, app: App[Any]) -> None:
        self.learnt: Signal[None] = Signal(app, "terminal-pictures")
        """That it has."""
        self._app = app
        self._has: bool | None = None
        """None while it was not asked."""
        self._asked = False
        self._last = 0
        self._numbers: set[int] = set()

    @property
    def has(self) -> bool:
        if self._has is None:
            self._has = self._find_out()
        return self._has

    def answered(self, column: int, row: int) -> None:
        """Where the cursor is, as the terminal says when it is asked; a person can say it too, by shift+F3 in some."""
        if self._asked and (column, row) == kitty.YES:
            self._asked, self._has = False, True
            self.learnt.publish(None)

    def keep(self, wanted: Mapping[Key, Pixels]) -> dict[Key, int]:
        """Their numbers."""
        numbers = {key: self._next() for key in wanted}
        self.write("".join(kitty.sent(numbers[key], found, key.columns, key.rows) for key, found in wanted.items()))
        return numbers

    def drop(self, numbers: list[int]) -> None:
        known = [number for number in numbers if number in self._numbers]
        self._numbers.difference_update(known)
        self.write("".join(map(kitty.forgotten, known)))

    def close(self) -> None:
        """Before the terminal is left: what is written afterwards would meet the pictures of others."""
        self.drop(list(self._numbers))
        self._has = self._asked = False

    def write(self, words: str) -> None:
        """Textual has no public way past its own drawing, and what it writes itself must not be cut in two by this."""
        if self._app._driver is not None and words:
            self._app._driver.write(words)

    def _find_out(self) -> bool:
        """Whether it surely has. A number needs all colours to be told."""
        app, wanted = self._app, pixels.choice(os.environ)
        if wanted == "blocks" or few_colours(app) or app.console.color_system != "truecolor" or app.is_web:
            return False
        self._asked = wanted == "auto" and not app.is_headless and pixels.may_ask(os.environ)
        if self._asked:
            self.write(kitty.QUESTION)
        return wanted == "kitty"

    def _next(self) -> int:
        """Not one that was just dropped, which cells may still show."""
        self._last = self._last % (kitty.MOST - 1) + 1
        self._numbers.add(self._last)
        return self._last


class Placed:
    """Those of one panel: what it shows now, and no others."""

    def __init__(self, terminal: TerminalPictures) -> None:
        self._terminal = terminal
        self._numbers: dict[Key, int] = {}

    def show(self, wanted: Mapping[Key, Pixels]) -> None:
        gone = [self._numbers.pop(key) for key in list(self._numbers) if key not in wanted]
        self._terminal.drop(gone)
        self._numbers |= self._terminal.keep({key: found for key, found in wanted.items() if key not in self._numbers})

    def strips(self, key: Key, ground: str) -> list[Strip] | None:
        number = self._numbers.get(key)
        return None if number is None else kitty.placeholders(number, key.columns, key.rows, ground)
