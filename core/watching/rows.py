"""What the readers of all formats give: rows of numbers, in the order in which they were written."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol, TypeAlias

STEP_LIMIT = 1 << 53
"""As :data:`core.events.Whole` has it."""
LONGEST_NAME = 200
"""Characters of a scalar's name; the rest is cut."""


class Row(NamedTuple):
    """``values`` are by the names that the file has for them."""

    step: int
    values: dict[str, float]
    time: float = 0.0
    """Unix seconds; 0 where it is not known."""
    epoch: float | None = None
    """As the file counts them."""
    first: bool = False
    """Of a file: what lies between it and the row before was not spent on training."""


class Note(NamedTuple):
    """Something that a person should know of the files."""

    text: str
    warning: bool = True


class Again(NamedTuple):
    """All rows come again from the first one: the file is another one now, or it has to be read otherwise."""

    reason: str


Item: TypeAlias = Row | Note | Again


class Reader(Protocol):
    """``read`` gives what has come since, a stretch of bounded size at a time; ``behind`` is how much is still to be read."""

    LABEL: ClassVar[str]

    def read(self) -> list[Item]: ...

    def restart(self) -> None:
        """The next ``read`` begins at the first row."""

    def end(self) -> None:
        """Nobody waits for more: what stands there is all, also a last line that no newline ends."""

    @property
    def size(self) -> int:
        """Bytes that there are now."""

    @property
    def behind(self) -> int:
        """Bytes of them that have not been read yet, half a row apart."""


def whole(number: float) -> int:
    """A step as the journal can hold it."""
    return int(min(max(number, 0), STEP_LIMIT))
