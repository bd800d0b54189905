"""In what the recipes of several runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from core.flat import flat
from core.view.comparing.subject import Subject

LEFT_OUT = frozenset({"description"})
"""No result depends on it."""
CHANGED_LIVE = "changed live"


class Difference(NamedTuple):
    """A key and its value in each run, in words; None where it has none."""

    key: str
    values: tuple[str | None, ...]


class Differences(NamedTuple):
    rows: tuple[Difference, ...]
    same: int
    """Keys with the same value in all."""
    unread: tuple[int, ...]
    """Places of the runs whose recipe cannot be read; they are not held against the others."""


def differences(subjects: Sequence[Subject]) -> Differences:
    tables = [None if item.recipe is None else _flat(item.recipe) for item in subjects]
    known = [table for table in tables if table is not None]
    keys = [key for key in dict.fromkeys(key for table in known for key in table) if key not in LEFT_OUT]
    rows = [Difference(key, tuple(table.get(key) if table else None for table in tables)) for key in keys]
    differing = tuple(row for row in rows if len({table.get(row.key) for table in known}) > 1)
    unread = tuple(place for place, table in enumerate(tables) if table is None)
    return Differences((*differing, *_changed_live(subjects)), len(rows) - len(differing), unread)


def _changed_live(subjects: Sequence[Subject]) -> Iterator[Difference]:
    """What a person changed while a run trained is in no recipe."""
    values = tuple(_changes(item) for item in subjects)
    if any(values):
        yield Difference(CHANGED_LIVE, values)


def _changes(item: Subject) -> str | None:
    changes = [f"step {mark.step}: {mark.text}" for mark in item.state.marks if mark.kind == "setting"]
    return "; ".join(changes) or None


def _flat(table: Mapping[str, Any]) -> dict[str, str]:
    return {".".join(path): words(value) for path, value in flat(table)}


def words(value: Any) -> str:
    """A value of a recipe on one line; two that are different never read the same."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
        case Mapping():
            return _table_words(value)
        case list() | tuple():
            return ", ".join(map(words, value)) if value else "none"
    return str(value)


def _table_words(table: Mapping[str, Any]) -> str:
    """An entry of a list by its name: ``crop(padding=2, fill=reflect)``."""
    others = ", ".join(f"{key}={words(value)}" for key, value in table.items() if key != "name")
    name = str(table.get("name", ""))
    return f"{name}({others})" if others or not name else name
