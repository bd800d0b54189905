"""CSV and TSV files, those of Lightning's CSVLogger among them: a line with names, then lines of numbers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from core.watching.axis import number
from core.watching.text_file import MOST_COLUMNS, Cells, TextFile, short

DELIMITERS = (",", "\t", ";", "|")
COMMENT = "#"


class Table(TextFile):
    """See :class:`core.watching.text_file.TextFile`."""

    LABEL: ClassVar[str] = "CSV"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._names: list[str] = []
        self._delimiter = ","

    def forget(self) -> None:
        self._names = []

    def cells(self, line: str) -> Cells | None:
        if line.startswith(COMMENT) and not self._names:
            line = line.lstrip(f"{COMMENT} ")
            if not line or not any(delimiter in line for delimiter in DELIMITERS):
                return None
        if not self._names:
            return self._begin(line)
        values = split(line, self._delimiter)
        if values == self._names:  # a program that was started again has written its names again
            return None
        found = {name: self._number(value) for name, value in zip(self._names, values, strict=False) if value.strip()}
        numbers = {name: value for name, value in found.items() if value is not None}
        texts = {name: value for name, value in zip(self._names, values, strict=False) if name not in numbers}
        return Cells(numbers, texts) if numbers else None

    def _begin(self, line: str) -> Cells | None:
        """The line with the names; a table without one has numbered columns."""
        self._delimiter = delimiter(line)
        values = split(line, self._delimiter)
        if all(self._number(value) is not None for value in values):
            self._names = [f"column {place}" for place in range(1, len(values) + 1)]
            return self.cells(line)
        self._names = values
        return None

    def _number(self, text: str) -> float | None:
        text = text.strip()
        if text.endswith("%"):
            found = number(text[:-1])
            return None if found is None else found / 100
        if self._delimiter == ";" and text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        return number(text)


class LightningTable(Table):
    """``version_N/metrics.csv``, which is written anew whenever a column is added."""

    LABEL: ClassVar[str] = "Lightning CSV"


def delimiter(line: str) -> str:
    """What the names are told apart by."""
    return max(DELIMITERS, key=line.count)


def split(line: str, delimiter: str) -> list[str]:
    try:
        found: Sequence[str] = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        found = line.split(delimiter)
    return [short(value) for value in found[:MOST_COLUMNS]]
