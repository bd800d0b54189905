"""Lines of a long list that are made only when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from rich.text import Text


class Lines(Sequence[Text]):
    """A head and so many lines, each made when it is looked at."""

    def __init__(self, head: Text, count: int, line: Callable[[int], Text]) -> None:
        self._head, self._count, self._line = head, count, line

    def __len__(self) -> int:
        return self._count + 1

    @overload
    def __getitem__(self, place: int) -> Text: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Text]: ...
    def __getitem__(self, place: int | slice) -> Text | Sequence[Text]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._line(place - 1) if place else self._head
