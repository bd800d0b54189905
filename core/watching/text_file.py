"""What all text formats have in common: lines that become rows, from a file that grows or is written anew."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

from core.watching.axis import Axis, Place
from core.watching.rows import LONGEST_NAME, Again, Item, Note, Row, whole
from core.watching.tail import Tail

MOST_COLUMNS = 1000
"""Of one row; further ones are not looked at."""


class Cells(NamedTuple):
    """What a line says."""

    numbers: dict[str, float]
    texts: dict[str, str]
    """Of those that are no numbers."""


@dataclass
class Given:
    """The rows that were given, by a hash of what they say, so that they are known again."""

    rows: int = 0
    seal: int = 0
    seals: dict[int, int] = field(default_factory=dict)
    """What it was after one row, two, four, eight ..."""

    def add(self, step: float, numbers: dict[str, float]) -> None:
        told = frozenset((name, value if value == value else None) for name, value in numbers.items())  # NaN equals nothing
        self.rows += 1
        self.seal = hash((self.seal, step, told))
        if self.rows & (self.rows - 1) == 0:
            self.seals[self.rows] = self.seal


class TextFile(ABC):
    """See :class:`core.watching.rows.Reader`; a format says what a line's ``cells`` are.

    Many write their file anew to add to it, with another column say. The rows that were given before are then passed over, as
    long as they say the same as before."""

    LABEL: ClassVar[str] = ""

    def __init__(self, path: Path) -> None:
        self._tail, self._axis = Tail(path), Axis()
        self._given = Given()
        self._passing: Given | None = None
        """While the file is read anew: what was given before."""
        self._newest, self._start = 0.0, 0.0
        self._trouble = ""

    @abstractmethod
    def cells(self, line: str) -> Cells | None:
        """None where it is no row."""

    def forget(self) -> None:  # noqa: B027 a format may have learnt nothing
        """What was learnt from lines; the file is read anew."""

    def restart(self) -> None:
        self._read_anew()
        self._passing = None

    def end(self) -> None:
        self._tail.ended = True

    def _read_anew(self) -> None:
        self._passing, self._given = self._passing or self._given, Given()
        self._tail.restart()
        self._axis.restart()
        self.forget()

    @property
    def size(self) -> int:
        return self._tail.size

    @property
    def behind(self) -> int:
        return max(self._tail.size - self._tail.offset, 0)

    def read(self) -> list[Item]:
        try:
            lines = self._tail.lines()
        except OSError as error:
            return self._failed(error)
        if lines is None:
            self._read_anew()
            return []
        self._trouble = ""
        return list(self._rows(lines))

    def _failed(self, error: OSError) -> list[Item]:
        """Said once; a file that is away for a moment is being written anew."""
        trouble, self._trouble = self._trouble, error.strerror or "it cannot be read"
        return [] if isinstance(error, FileNotFoundError) or self._trouble == trouble else [Note(f"{self._trouble}")]

    def _rows(self, lines: Sequence[str]) -> Iterator[Item]:
        since = self._newest or self._tail.modified
        found = [cells for line in lines if (cells := self.cells(line)) is not None]
        for place, cells in enumerate(found, 1):
            if self._passing is not None and (passed := self._passed(cells)) is not None:
                yield from passed
                if passed:
                    return
                continue
            row = self._row(cells, since + (self._tail.modified - since) * place / len(found))
            if row is None:
                self.restart()
                yield Again("its steps do not tell rows apart; they are numbered instead")
                return
            yield row
        if found:
            self._newest = self._tail.modified

    def _passed(self, cells: Cells) -> list[Item] | None:
        """What to say of a row that may have been given before; None where it was not."""
        before = self._passing
        if before is None or self._given.rows >= before.rows:
            self._passing = None
            return None
        self._place(cells)
        if self._given.seals.items() <= before.seals.items() and (self._given.rows < before.rows or self._given == before):
            return []
        self.restart()
        return [Again("the file has been written anew")]

    def _row(self, cells: Cells, modified: float) -> Row | None:
        first, place = not self._given.rows, self._place(cells)
        if place is None:
            return None
        if place.elapsed is not None and not place.time:
            self._start = modified - place.elapsed if first else self._start
        time = place.time or (self._start + place.elapsed if place.elapsed is not None and self._start else modified)
        return Row(whole(place.step), cells.numbers, time, place.epoch, first)

    def _place(self, cells: Cells) -> Place | None:
        place = self._axis.place(cells.numbers, cells.texts)
        if place is not None:
            self._given.add(place.step, cells.numbers)
        return place


def short(name: str) -> str:
    return name.strip()[:LONGEST_NAME]
