"""What commands print: text that is safe for any terminal, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from tui_trainer.escape import printable
from tui_trainer.stream import write_lines


def say(*lines: str) -> None:
    write_lines(sys.stdout, [printable(line) for line in lines])


def say_json(value: Any) -> None:
    """One JSON document, indented; whatever msgspec can encode."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """One line on the standard error, however many the text has."""
    write_lines(sys.stderr, [printable(f"tui-trainer: {' '.join(text.split())}")])


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Aligned columns; those whose numbers are in ``right`` are set to the right."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(_aligned(row, widths, right)).rstrip() for row in cells]


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if number in right else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
