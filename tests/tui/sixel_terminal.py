"""A terminal that has sixel: what lies over which of its cells, as DEC's manual of the VT330 and xterm's have it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tests.tui.kitty_terminal import Cell, KittyTerminal

WORD = re.compile(r'"(\d+);(\d+);(\d+);(\d+)|#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)')
ATTRIBUTES = "63;1;2;4;6;9;15;16;22;28"
"""What xterm says that it has, sixel (4) among it."""
Colour = tuple[int, int, int]
"""In per cent."""


class Sixels(NamedTuple):
    width: int
    height: int
    pixels: dict[tuple[int, int], Colour]
    """By column and row."""

    def row(self, number: int) -> list[Colour]:
        return [self.pixels[column, number] for column in range(self.width)]


class Part(NamedTuple):
    """Of the pixels that were sent as the ``number``-th, those of one cell."""

    number: int
    row: int
    column: int


@lru_cache(maxsize=256)  # since many are sent again and again
def decoded(words: str) -> Sixels:
    """Strictly: nothing is left over, no colour is used that was not named, and every pixel is set that was announced."""
    introduced, _, rest = words.partition("q")
    assert introduced == "0;1", "what is not set would be cleared"
    size, colours, pixels = (0, 0), dict[int, Colour](), dict[tuple[int, int], Colour]()
    x = y = at = 0
    present: Colour | None = None
    for word in WORD.finditer(rest):
        assert word.start() == at, rest[at : at + 20]
        at = word.end()
        aspect_y, aspect_x, width, height, named, red, green, blue, chosen, times, repeated, once, back, down = word.groups()
        if width:
            assert aspect_x == aspect_y == "1"
            size = int(width), int(height)
        elif named:
            colours[int(named)] = int(red), int(green), int(blue)
        elif chosen:
            present = colours[int(chosen)]
        elif back or down:
            x, y = 0, y + (6 if down else 0)
        else:
            bits, end = ord(repeated or once) - ord("?"), x + int(times or 1)
            places = [(column, y + row) for column in range(x, end) for row in range(6) if bits >> row & 1]
            assert present is not None or not places
            pixels |= dict.fromkeys(places, present or (0, 0, 0))
            x = end
    assert at == len(rest) and all(0 <= part <= 100 for colour in colours.values() for part in colour)
    assert set(pixels) == {(x, y) for x in range(size[0]) for y in range(size[1])}
    return Sixels(*size, pixels)


class SixelTerminal(KittyTerminal):
    """``cell``: width and height in pixels; it says them where it is ``measured``, which xterm does not."""

    def __init__(
        self,
        attributes: str = ATTRIBUTES,
        cell: tuple[int, int] = (8, 16),
        measured: bool = True,
        colours: int | None = 256,
        silent: bool = False,
        placeholders: bool = False,
    ) -> None:
        super().__init__(placeholders, silent)
        self.attributes, self.cell, self.measured, self.colours = attributes, cell, measured, colours
        self.size = (40, 120)
        """Rows and columns."""
        self.asked: list[str] = []
        self.sent: list[Sixels] = []
        self.over: dict[tuple[int, int], Part] = {}
        """What lies where, by row and column."""
        self.over_left: int | None = None
        """When the other screen was left."""

    def whole(self) -> dict[tuple[int, int], int] | None:
        """The numbers of what is there, by its upper left corner; None where only a part of something is there."""
        with self._lock:
            over = dict(self.over)
        corners = {place: part.number for place, part in over.items() if part[1:] == (0, 0)}
        expected: dict[tuple[int, int], Part] = {}
        for (row, column), number in corners.items():
            width, height = (size // cell for size, cell in zip(self.sent[number][:2], self.cell, strict=True))
            expected |= {(row + y, column + x): Part(number, y, x) for y in range(height) for x in range(width)}
        return corners if over == expected else None

    def _device(self, words: str) -> None:
        found = decoded(words)
        (width, height), number = self.cell, len(self.sent)
        self.sent.append(found)
        rows, columns = found.height // height, found.width // width
        assert self._row + rows < self.size[0] and self._column + columns <= self.size[1], "it would scroll, or be cut"
        for y in range(rows):
            for x in range(columns):
                self.over[self._row + y, self._column + x] = Part(number, y, x)
        self._row += rows

    def _put(self, place: tuple[int, int], cell: Cell) -> None:
        super()._put(place, cell)
        self.over.pop(place, None)

    def _control(self, arguments: str, final: str) -> bytes:
        if final in "hl" and arguments == "?1049":
            self.over_left = len(self.over) if final == "l" else None
            self.over = {}
        if answer := self._answer(arguments, final):
            self.asked.append(arguments + final)
            return b"" if self.silent else b"\x1b[" + answer.encode()
        return super()._control(arguments, final)

    def _answer(self, arguments: str, final: str) -> str:
        width, height = self.cell
        match arguments, final:
            case ("", "c"):
                return f"?{self.attributes}c"
            case ("16", "t") if self.measured:
                return f"6;{height};{width}t"
            case ("14", "t") if self.measured:
                return f"4;{height * self.size[0]};{width * self.size[1]}t"
            case ("?1;1;0", "S") if self.colours:
                return f"?1;0;{self.colours}S"
        return ""
