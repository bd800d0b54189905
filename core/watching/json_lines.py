"""JSON lines: an object with numbers a line, NaN and infinities included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from core.watching.axis import number
from core.watching.text_file import MOST_COLUMNS, Cells, TextFile, short

DEEPEST = 8
"""Objects within objects; what lies deeper is not looked at."""
SPLITS = ("split", "mode", "phase", "stage", "subset")
"""Keys whose text says what a line's numbers are of."""
OF_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "eval", "test"})


class JsonLines(TextFile):
    """See :class:`core.watching.text_file.TextFile`. Objects within objects are named with dots between."""

    LABEL: ClassVar[str] = "JSON lines"

    def __init__(self, path: Path) -> None:
        super().__init__(path)

    def cells(self, line: str) -> Cells | None:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        numbers, texts = dict[str, float](), dict[str, str]()
        for place, (name, value) in enumerate(flat(found)):
            if place >= MOST_COLUMNS:
                break
            if (known := number(value)) is not None:
                numbers[name] = known
            elif isinstance(value, str):
                texts[name] = value
        return Cells(_of_split(numbers, texts), texts) if numbers else None


def flat(found: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        name = short(f"{before}{key}")
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from flat(value, f"{name}.", depth + 1)
        else:
            yield name, value


def _of_split(numbers: dict[str, float], texts: Mapping[str, str]) -> dict[str, float]:
    """``{"split": "val", "loss": 0.4}`` is a loss of ``val``."""
    split = next((texts[key] for key in SPLITS if texts.get(key, "").casefold() in OF_SPLITS), "")
    own = ("step", "epoch", "time", "iter")
    return {name if any(word in name.casefold() for word in own) else f"{split}/{name}": value
            for name, value in numbers.items()} if split else numbers  # fmt: skip
