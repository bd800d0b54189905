"""What a terminal is asked before it is sent sixels, and what follows from its answers."""

from __future__ import annotations

import fcntl
import re
import struct
import termios
import time
from typing import Any

from textual.app import App

from tui_trainer.driver import PATIENCE, TerminalDriver
from tui_trainer.pixels import BLOCKS, Way

QUESTION = "\x1b[c"
"""What are you (DA1)? Every terminal answers, whatever it has, and after what it was asked before."""
MEASURES = f"\x1b[16t\x1b[14t\x1b[?1;1;0S{QUESTION}"
"""How large is a cell, how large is the screen, how many colours are there at once? Not all of it has an answer everywhere."""
SIXEL = "4"
"""Among what a terminal says that it has."""
UNKNOWN_COLOURS = 256
FEWEST, MOST = 4, 200
"""Pixels that a cell may be wide or high."""
BORDER = 4
"""Pixels of xterm's on both sides together, which it counts as its window's."""
NUMBERS = re.compile(r"\d+")


class Inquiry:
    """One terminal's answers."""

    def __init__(self, sure: bool = False) -> None:
        self.has = sure
        self._cell: tuple[int, int] | None = None
        self._screen: tuple[int, int] | None = None
        self._colours = UNKNOWN_COLOURS

    def hear(self, report: str) -> bool:
        """Whether it is the one that comes after all others."""
        numbers = [int(number) for number in NUMBERS.findall(report)]
        match report[-1], numbers:
            case "c", _:
                self.has = self.has or SIXEL in NUMBERS.findall(report)[1:]
                return True
            case "t", [6, height, width]:
                self._cell = width, height
            case "t", [4, height, width]:
                self._screen = width, height
            case "S", [1, 0, colours]:
                self._colours = colours
        return False

    def way(self, columns: int, rows: int, pixels: tuple[int, int]) -> Way:
        """``pixels``: of the whole terminal, as the system knows it; xterm says nothing of its size."""
        if not self.has:
            return BLOCKS
        screens = [screen for screen in (self._screen, pixels) if screen]
        cells = [self._cell, *((_least(width, columns), _least(height, rows)) for width, height in screens)]
        for width, height in filter(None, cells):
            if FEWEST <= width <= MOST and FEWEST <= height <= MOST and self._colours >= 2:
                return Way("sixel", width, height, self._colours)
        return BLOCKS


def _least(pixels: int, cells: int) -> int:
    """That a cell can have, where so many fit into a window with its border, and not one more. A picture too small leaves some
    half-blocks in view; one too large lies over words."""
    return (pixels - BORDER) // (cells + 1) + 1


class SixelTerminal:
    """The terminal that the console is in: it is asked what it is, and what it has and how large it is only then. Until it has
    answered all that it was asked it is not known to have anything."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._inquiry: Inquiry | None = None
        self._measuring = False
        self._open = 0
        """Questions that it has not answered."""
        self._asked_at = 0.0

    def ask(self, sure: bool) -> None:
        """``sure``: somebody says that it has sixel, which it may not know of itself."""
        self._inquiry = Inquiry(sure)
        self._put(QUESTION)

    def measure(self) -> None:
        """Once more, where it has been measured or is being so."""
        if self._measuring:
            self._put(MEASURES)

    def reported(self, report: str) -> Way | None:
        """How it shows pictures, once it is known."""
        if self._inquiry is None or not self._inquiry.hear(report):
            return None
        self._open -= 1
        if self._open > 0:
            return None
        if self._inquiry.has and not self._measuring:
            self._measuring = True
            self._put(MEASURES)
            return None
        return self._inquiry.way(*self._app.size, self._size_in_pixels())

    def close(self) -> None:
        """Whatever it still says."""
        self._inquiry, self._measuring = None, False

    def _put(self, question: str) -> None:
        if isinstance(self._app._driver, TerminalDriver):
            now = time.monotonic()
            self._open = 1 if now - self._asked_at > PATIENCE else self._open + 1
            self._asked_at = now
            self._app._driver.ask(question)

    def _size_in_pixels(self) -> tuple[int, int]:
        driver = self._app._driver
        return size_in_pixels(driver.fileno) if isinstance(driver, TerminalDriver) else (0, 0)


def size_in_pixels(terminal: int) -> tuple[int, int]:
    """As the terminal told the system it, also over SSH; (0, 0) where it did not."""
    try:
        _, _, width, height = struct.unpack("HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return 0, 0
    return width, height
