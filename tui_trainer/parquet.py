"""A run's scalars as Parquet: the columns of the CSV, each of its own type, so that what reads the one reads the other. A value
that was not told at a row's moment is null; one that was NaN is NaN; ``time`` is a moment in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from core.errors import UserError
from core.run.folder import RunFolder
from core.view import scalars
from core.view.scalars import Row, Tick
from tui_trainer.escape import printable
from tui_trainer.groups import in_groups
from tui_trainer.scalars import HEAD, chosen, selected

MISSING = "Parquet needs pyarrow, which is not installed; install it with: pip install 'tui-trainer[parquet]'"
CELLS, MOST_ROWS = 1 << 20, 1 << 16
"""Of a row group: as much as is in memory at a time."""
LATEST = 1 << 36
"""Unix seconds, long after all that a clock says; a journal may hold anything, and a column's type not."""


def write(run: RunFolder, file: BinaryIO, wanted: Sequence[str] = (), tick: Tick = lambda done: None) -> None:
    """As :func:`tui_trainer.scalars.write`. Raises UserError where pyarrow is missing."""
    arrow, parquet = _libraries()
    known = scalars.survey(run.journal, tick)
    names = chosen(known, wanted)
    schema = _schema(arrow, names)
    rows = selected(scalars.rows(run.journal, known, tick), names)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for some in in_groups(rows, min(max(CELLS // len(schema), 1), MOST_ROWS)):
            writer.write_table(arrow.table(_columns(some, names), schema))


def _libraries() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UserError(MISSING) from None
    return pyarrow, parquet


def _schema(arrow: Any, names: Sequence[str]) -> Any:
    """Readers want each column to have a name of its own."""
    kinds = [
        arrow.dictionary(arrow.int8(), arrow.string()), arrow.int64(), arrow.int64(), arrow.timestamp("us", "UTC"),
        arrow.float64(), arrow.int64(), arrow.string(),
    ]  # fmt: skip
    titles = list(HEAD)
    for name in names:
        title = printable(name)
        while title in titles:
            title += "_"
        titles.append(title)
    return arrow.schema(list(zip(titles, [*kinds, *[arrow.float64()] * len(names)], strict=True)))


def _columns(rows: Sequence[Row], names: Sequence[str]) -> list[list[Any]]:
    times = [round(min(max(row.time, -LATEST), LATEST) * 1_000_000) for row in rows]
    return [
        [row.kind for row in rows], [row.step for row in rows], [row.epoch for row in rows], times,
        [row.seconds for row in rows], [row.images for row in rows], [printable(row.checkpoint) or None for row in rows],
        *([row.metrics.get(name) for row in rows] for name in names),
    ]  # fmt: skip
