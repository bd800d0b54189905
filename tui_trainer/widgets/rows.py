"""A line of a picture while it is put together: a character and a colour for each cell."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


class Row:
    """``colours`` are ``#rrggbb``, or nothing for a cell that nothing has been drawn in."""

    __slots__ = ("characters", "colours")

    def __init__(self, characters: list[str], colours: list[str]) -> None:
        self.characters, self.colours = characters, colours

    @classmethod
    def of(cls, text: str, colour: str = "") -> Row:
        return cls(list(text), [colour] * len(text))

    def __len__(self) -> int:
        return len(self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self.characters, self.colours) == (other.characters, other.colours)

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Row) -> Row:
        return Row(self.characters + other.characters, self.colours + other.colours)

    def begun(self, columns: int) -> Row:
        """Its first cells."""
        return Row(self.characters[:columns], self.colours[:columns])

    def put_at_end(self, text: str) -> None:
        """Cells that nothing has been drawn in."""
        self.characters += text
        self.colours += [""] * len(text)

    def copy(self) -> Row:
        return Row(self.characters[:], self.colours[:])

    def put(self, column: int, text: str, colour: str) -> None:
        """Over what is there, as far as there is room."""
        text = text[: max(0, len(self) - column)]
        self.characters[column : column + len(text)] = text
        self.colours[column : column + len(text)] = [colour] * len(text)

    def lay(self, other: Row, column: int = 0, start: int = 0) -> None:
        """What has been drawn in another row, from its cell ``start`` on, over this one from a column on."""
        for place, colour in enumerate(other.colours[start:], column):
            if colour:
                self.characters[place], self.colours[place] = other.characters[place - column + start], colour

    def put_behind(self, column: int, text: str, colour: str) -> None:
        """Only where nothing has been drawn."""
        for place, character in enumerate(text[: len(self) - column], column):
            if not self.colours[place]:
                self.characters[place], self.colours[place] = character, colour

    def free(self, column: int, width: int) -> bool:
        """Whether so many cells are there and nothing has been drawn in them."""
        return 0 <= column <= len(self) - width and not any(self.colours[column : column + width])

    @property
    def text(self) -> str:
        return "".join(self.characters)

    def strip(self, text: str = "", ground: str = "") -> Strip:
        """Cells without a colour in that of ``text``; on a ground, or on whatever is beneath."""
        segments, start = [], 0
        for colour, run in groupby(self.colours):
            end = start + sum(1 for _ in run)
            segments.append(Segment("".join(self.characters[start:end]), _style(colour or text, ground)))
            start = end
        return Strip(segments, len(self))


@lru_cache(256)
def _style(colour: str, ground: str) -> Style:
    return Style(color=colour or None, bgcolor=ground or None)
