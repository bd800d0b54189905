"""A run's numbers for other programs: ``scalars``."""

from __future__ import annotations

import codecs
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from core.errors import UserError
from core.run.folder import RunFolder, find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.output import STANDARD, delivered
from tui_trainer.cli.progress import Ticker

if TYPE_CHECKING:
    from core.view.scalars import Tick


class Format(StrEnum):
    csv = "csv"
    parquet = "parquet"


def scalars(
    run: options.Run,
    output: options.Output = STANDARD,
    what: Annotated[
        str | None, typer.Option("--what", metavar="NAME,...", help="Only these: train.loss,val.* [default: all]")
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="[default: as the file's name ends, else csv]", show_default=False)
    ] = None,
    force: options.Force = False,
    runs: options.Runs = None,
) -> None:
    """Print every scalar of a run as CSV or Parquet, a row for each step window, measurement and epoch."""
    folder, ticker, target = find(run, runs_folder(runs)), Ticker(), output or STANDARD
    wanted = [name.strip() for name in (what or "").split(",") if name.strip()]
    form = form or (Format.parquet if target.suffix.lower() == ".parquet" else Format.csv)
    if form == Format.parquet and target == STANDARD and sys.stdout.isatty():
        raise UserError("Parquet is not for a terminal; name a file with -o FILE.parquet")
    try:
        with delivered(target, force) as file:
            _write(form, folder, file, wanted, _twice(folder, ticker, target))
    finally:
        ticker.close()


def _write(form: Format, folder: RunFolder, file: BinaryIO, wanted: list[str], tick: Tick) -> None:
    if form == Format.parquet:
        from tui_trainer import parquet

        parquet.write(folder, file, wanted, tick)
    else:
        from tui_trainer.scalars import write

        write(folder, codecs.getwriter("utf-8")(file), wanted, tick)


def _twice(run: RunFolder, ticker: Ticker, output: Path) -> Tick:
    """Progress over a long journal that is read two times; none beside rows on the standard output, which show it."""
    from core.view.summary import READ_WHOLE

    size = run.journal.stat().st_size if run.journal.exists() else 0
    before = latest = 0

    def tick(done: int) -> None:
        nonlocal before, latest
        before, latest = before + (latest if done < latest else 0), done
        if output != STANDARD and size > READ_WHOLE:
            ticker("reading the journal", before + done, 2 * size, "bytes")

    return tick
