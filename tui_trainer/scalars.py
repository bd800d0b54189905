"""A run's scalars as a table of comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.run.folder import RunFolder
from core.view import scalars
from core.view.scalars import Row, Survey, Tick
from tui_trainer.escape import printable

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

HEAD = ("kind", "step", "epoch", "time", "seconds", "images", "checkpoint")
FORMULA = ("=", "+", "-", "@", "\t")
"""What a text must not begin with that a spreadsheet is to take for one."""
NAMED = 12
"""Of the scalars that there are, in an error."""


def write(run: RunFolder, file: SupportsWrite[str], wanted: Sequence[str] = (), tick: Tick = lambda done: None) -> None:
    """Those scalars whose names match one of the ``wanted`` patterns (all without any), a row for each moment that has one.
    ``tick`` is told how many bytes of the journal have been read, twice over. Raises UserError for a pattern that matches
    none."""
    known = scalars.survey(run.journal, tick)
    names = chosen(known, wanted)
    table = csv.writer(file, lineterminator="\n")
    table.writerow([*HEAD, *map(_text, names)])
    table.writerows(_cells(selected(scalars.rows(run.journal, known, tick), names), names))


def records(run: RunFolder, wanted: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The same rows, each as a table of its own, with the scalars that it has. Raises UserError as :func:`write` does."""
    known = scalars.survey(run.journal)
    names = chosen(known, wanted, "history")
    for row in selected(scalars.rows(run.journal, known), names):
        told = {name: row.metrics[name] for name in names if name in row.metrics}
        yield {"kind": row.kind, "step": row.step, "epoch": row.epoch, "time": row.time, **told}


def chosen(known: Survey, wanted: Sequence[str], asked: str = "--what") -> tuple[str, ...]:
    if not wanted:
        return known.names
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in known.names):
            there = ", ".join(known.names[:NAMED]) + (" ..." if len(known.names) > NAMED else "")
            raise UserError(f"{asked} {pattern!r}: the run has told no such scalar; there are: {there or 'none yet'}")
    return tuple(name for name in known.names if any(fnmatchcase(name, pattern) for pattern in wanted))


def selected(rows: Iterable[Row], names: Collection[str]) -> Iterator[Row]:
    """Those that have one of these."""
    return (row for row in rows if any(name in row.metrics for name in names))


def _cells(rows: Iterable[Row], names: Collection[str]) -> Iterator[list[object]]:
    for row in rows:
        about = (row.kind, row.step, row.epoch, row.time, row.seconds, row.images, _text(row.checkpoint))
        yield [*about, *(row.metrics.get(name, "") for name in names)]


def _text(words: str) -> str:
    shown = printable(words)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
