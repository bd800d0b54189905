"""What commands print: text that is safe for any terminal, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from core.errors import UserError
from tui_trainer.escape import printable
from tui_trainer.stream import write_json, write_lines

WIDEST = 60
"""Columns of a terminal; longer cells of a table are cut, since all of their column would move."""


def say(*lines: str) -> None:
    write_lines(sys.stdout, lines)


def say_json(value: Any) -> None:
    """One JSON document, indented; whatever msgspec can encode."""
    from core.events import encodable

    document = msgspec.json.encode(encodable(msgspec.to_builtins(value)))  # paths need not be UTF-8
    write_json(sys.stdout.buffer, msgspec.json.format(document, indent=2) + b"\n")


def say_json_line(value: Any) -> None:
    """One JSON object in a line of its own."""
    from core.events import encodable

    write_json(sys.stdout.buffer, msgspec.json.encode(encodable(msgspec.to_builtins(value))) + b"\n")


def complain(text: str) -> None:
    """One line on the standard error, however many the text has."""
    if sys.stderr is not None:
        with suppress(UserError, BrokenPipeError):  # there is nobody left to tell it
            write_lines(sys.stderr, [f"tui-trainer: {' '.join(text.split())}"])


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Aligned columns; those whose numbers are in ``right`` are set to the right. Only the last may be wider than WIDEST."""
    cells = [[*(_shortened(printable(cell)) for cell in row[:-1]), printable(row[-1])] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(_aligned(row, widths, right)).rstrip() for row in cells]


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> Iterator[str]:
    for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
        blanks = " " * (width - _width(cell))
        yield blanks + cell if number in right else cell + blanks


def _width(text: str) -> int:
    """In columns of a terminal, of which a Chinese character takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # seldom needed: light commands start without rich

    return cell_len(text)


def _shortened(cell: str) -> str:
    if _width(cell) <= WIDEST:
        return cell
    while _width(cell) >= WIDEST:
        cell = cell[:-1]
    return f"{cell}…"
