"""A terminal with the part of kitty's graphics protocol that has to do with placeholders, as its specification says."""

from __future__ import annotations

import base64
import re
import threading
import unicodedata
import zlib
from typing import NamedTuple

from rich.cells import cell_len

from tui_trainer.widgets.kitty import ACCENTS, PLACEHOLDER

TOKEN = re.compile(
    rb"\x1b_G(?P<control>[^;\x1b]*)(?:;(?P<data>[^\x1b]*))?\x1b\\"
    rb"|\x1b\[(?P<arguments>[0-?]*)[ -/]*(?P<final>[@-~])"
    rb"|\x1bP(?P<device>[^\x1b]*)\x1b\\"
    rb"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b(?P<saving>[78])|\x1b[ -~]"
    rb"|(?P<text>[^\x1b]+)",
    re.DOTALL,
)
LEFT_OPEN = re.compile(rb"\x1b(?:[\]PX^_][^\x07\x1b]*\x1b?|\[[0-?]*[ -/]*)?$")
"""A sequence at the end of which there is more to come."""
NEW_KEYS = frozenset("U")
"""Not known before 0.28, which takes a message with one for broken."""


class Image(NamedTuple):
    width: int
    height: int
    pixels: bytes
    virtual: bool
    columns: int
    rows: int


class Cell(NamedTuple):
    text: str
    colour: tuple[int, ...] | None


class KittyTerminal:
    """``placeholders``: of kitty 0.28, or an older one. ``silent``: it answers nothing."""

    def __init__(self, placeholders: bool = True, silent: bool = False) -> None:
        self.placeholders, self.silent = placeholders, silent
        self.questions = 0
        """Where its cursor is."""
        self.images: dict[int, Image] = {}
        self.cells: dict[tuple[int, int], Cell] = {}
        self.most_images = 0
        self.in_other_screen = False
        self.images_left: int | None = None
        """When the other screen was left."""
        self._row = self._column = 0
        self._saved = (0, 0)
        self._colour: tuple[int, ...] | None = None
        self._begun: tuple[dict[str, str], bytes] = ({}, b"")
        self._rest = b""
        self._lock = threading.Lock()

    def feed(self, data: bytes) -> bytes:
        """What it answers."""
        with self._lock:
            return self._fed(data)

    def _fed(self, data: bytes) -> bytes:
        data, answers = self._rest + data, b""
        cut = LEFT_OPEN.search(data)
        data, self._rest = (data[: cut.start()], data[cut.start() :]) if cut else (data, b"")
        whole = _whole(data)
        data, self._rest = data[:whole], data[whole:] + self._rest
        for token in TOKEN.finditer(data):
            if token["control"] is not None:
                self._graphics(token["control"].decode(), token["data"] or b"")
            elif token["device"] is not None:
                self._device(token["device"].decode())
            elif token["final"]:
                answers += self._control(token["arguments"].decode(), token["final"].decode())
            elif token["saving"] == b"7":
                self._saved = (self._row, self._column)
            elif token["saving"] == b"8":
                self._row, self._column = self._saved
            elif token["text"]:
                self._write(token["text"].decode())
        return answers

    def shown(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """At which row and column there is which part (row, column) of which image."""
        with self._lock:
            cells = dict(self.cells)
        found = {}
        for place, cell in cells.items():
            if cell.text.startswith(PLACEHOLDER) and len(cell.text) == 3:  # else it has not come whole yet
                assert cell.colour is not None
                number = int.from_bytes(bytes(cell.colour), "big")
                found[place] = (number, ACCENTS.index(cell.text[1]), ACCENTS.index(cell.text[2]))
        return found

    def text(self) -> str:
        """All characters, line by line."""
        with self._lock:
            cells = sorted(self.cells.items())
        return "".join(f"{'' if place[1] else chr(10)}{cell.text}" for place, cell in cells)

    def _graphics(self, control: str, data: bytes) -> None:
        keys = dict(item.split("=", 1) for item in control.split(","))
        assert keys.get("q") == "2", "what it would answer would be taken for keys"
        assert len(data) <= 4096
        if not self.placeholders and NEW_KEYS & set(keys):
            return
        if keys.get("a") == "d":
            assert keys["d"] == "I"
            self.images.pop(int(keys["i"]), None)
            return
        first, before = self._begun if self._begun[0] else (keys, b"")
        if keys.get("m") == "1":
            self._begun = (first, before + data)
        else:
            self._begun = ({}, b"")
            self._take(first, base64.b64decode(before + data, validate=True))

    def _take(self, keys: dict[str, str], data: bytes) -> None:
        data = zlib.decompress(data) if keys.get("o") == "z" else data
        width, height, virtual = int(keys["s"]), int(keys["v"]), keys.get("U") == "1"
        assert keys["a"] == "T" and len(data) == width * height * int(keys["f"]) // 8
        self.images[int(keys["i"])] = Image(width, height, data, virtual, int(keys["c"]), int(keys["r"]))
        self.most_images = max(self.most_images, sum(image.virtual for image in self.images.values()))
        if not virtual:
            self._column += int(keys["c"])
            self._row += int(keys["r"]) - 1

    def _device(self, words: str) -> None:
        """What begins with a DCS is for others."""

    def _control(self, arguments: str, final: str) -> bytes:
        if final == "H":
            row, column = (int(part or 1) for part in (arguments or "1;1").split(";"))
            self._row, self._column = row - 1, column - 1
        elif final == "m":
            self._style(arguments)
        elif final in "hl" and arguments == "?1049":
            self.in_other_screen = final == "h"
            self.images_left = len(self.images) if final == "l" else None
            self.cells, self.images = {}, ({} if final == "h" else self.images)
        elif final == "n" and arguments == "6":
            self.questions += 1
            return b"" if self.silent else b"\x1b[%d;%dR" % (self._row + 1, self._column + 1)
        return b""

    def _style(self, arguments: str) -> None:
        parts = [int(part or 0) for part in arguments.split(";")]
        while parts:
            part = parts.pop(0)
            if part in (38, 48):
                count = 4 if parts[0] == 2 else 2
                colour, parts = tuple(parts[1:count]), parts[count:]
                self._colour = colour if part == 38 else self._colour
            elif part in (0, 39):
                self._colour = None

    def _write(self, text: str) -> None:
        for character in text:
            place = (self._row, self._column)
            if character in "\r\n":
                self._row, self._column = (self._row + (character == "\n"), 0 if character == "\r" else self._column)
            elif unicodedata.combining(character):
                before = (self._row, self._column - 1)
                self.cells[before] = self.cells[before]._replace(text=self.cells[before].text + character)
            elif character >= " ":
                self._put(place, Cell(character, self._colour))
                self._column += cell_len(character)

    def _put(self, place: tuple[int, int], cell: Cell) -> None:
        self.cells[place] = cell


def _whole(data: bytes) -> int:
    """Bytes up to the last whole character."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            return len(data) - back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else len(data)
    return len(data)
