"""The pictures that the terminal has in its memory, or on its screen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.geometry import Region
from textual.signal import Signal
from textual.strip import Strip

from tui_trainer import pixels
from tui_trainer.driver import TerminalDriver
from tui_trainer.pixels import BLOCKS, KITTY, Way
from tui_trainer.widgets import kitty
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.kitty import Pixels
from tui_trainer.widgets.overlay import Overlay
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.picture_shelf import Key
from tui_trainer.widgets.sixel_terminal import SixelTerminal


class TerminalPictures:
    """Of the whole console. The terminal is asked what it has when they are first wanted, and nobody waits for its answer."""

    def __init__(self, app: App[Any]) -> None:
        self.learnt: Signal[None] = Signal(app, "terminal-pictures")
        """What it has."""
        self.overlay = Overlay(app, self.write)
        self._app = app
        self._way: Way | None = None
        """None while it was not asked."""
        self._asked = False
        """Whether it has kitty's."""
        self._sixel = SixelTerminal(app)
        self._last = 0
        self._numbers: set[int] = set()

    @property
    def way(self) -> Way:
        if self._way is None:
            self._way = BLOCKS
            self._find_out()
        return self._way

    def answered(self, column: int, row: int) -> None:
        """Where the cursor is, as the terminal says when it is asked; a person can say it too, by shift+F3 in some."""
        if self._asked and (column, row) == kitty.YES:
            self._asked = False
            self._sixel.close()
            self._learn(KITTY)

    def reported(self, report: str) -> None:
        """What the terminal says of itself."""
        if way := self._sixel.reported(report):
            self._learn(way)

    def resized(self) -> None:
        """Or its cells are: what lies over them is not right any more, and nothing is before it has said how large they are."""
        if self._way and self._way.name == "sixel":
            self._learn(BLOCKS)
            self._app.screen.refresh()  # where only the cells have another size Textual sees nothing to do
        self._sixel.measure()

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
        self._sixel.close()
        self._asked = False
        self._take(BLOCKS)

    def write(self, words: str) -> None:
        """Textual has no public way past its own drawing, and what it writes itself must not be cut in two by this."""
        if self._app._driver is not None and words:
            self._app._driver.write(words)

    def _find_out(self) -> None:
        """Kitty's first, of which the terminal keeps track itself. A number of theirs needs all colours to be told."""
        app, wanted = self._app, pixels.choice(os.environ)
        coloured = app.console.color_system is not None and not app.no_color and glyphs() is not ASCII
        if wanted == "blocks" or not coloured or app.is_web:
            return
        if app.console.color_system == "truecolor":
            if wanted == "kitty":
                self._take(KITTY)
            self._asked = wanted == "auto" and not app.is_headless and pixels.may_ask(os.environ)
            if self._asked:
                self.write(kitty.QUESTION)
        if wanted == "sixel" or (wanted == "auto" and pixels.may_ask_for_sixel(os.environ)):
            self._sixel.ask(sure=wanted == "sixel")

    def _learn(self, way: Way) -> None:
        if way != self._way:
            self._take(way)
            self.learnt.publish(None)

    def _take(self, way: Way) -> None:
        self._way = way
        self.overlay.clear()
        if isinstance(self._app._driver, TerminalDriver):
            self._app._driver.follow = self.overlay.follow if way.name == "sixel" else None

    def _next(self) -> int:
        """Not one that was just dropped, which cells may still show."""
        self._last = self._last % (kitty.MOST - 1) + 1
        self._numbers.add(self._last)
        return self._last


class Placed:
    """Those of one panel: what it shows now, and no others."""

    def __init__(self, terminal: TerminalPictures, panel: Panel[Any]) -> None:
        self._terminal, self._panel = terminal, panel
        self._numbers: dict[Key, int] = {}

    def show(self, wanted: Mapping[Key, Pixels | str], parts: Mapping[Key, Region]) -> None:
        """``parts``: of the panel's lines, where those lie that the terminal keeps no track of."""
        kept = {key: found for key, found in wanted.items() if isinstance(found, Pixels)}
        gone = [self._numbers.pop(key) for key in list(self._numbers) if key not in kept]
        self._terminal.drop(gone)
        self._numbers |= self._terminal.keep({key: found for key, found in kept.items() if key not in self._numbers})
        lying = {parts[key]: found for key, found in wanted.items() if isinstance(found, str)}
        self._terminal.overlay.put(self._panel, lying)

    def strips(self, key: Key, ground: str) -> list[Strip] | None:
        number = self._numbers.get(key)
        return None if number is None else kitty.placeholders(number, key.columns, key.rows, ground)
