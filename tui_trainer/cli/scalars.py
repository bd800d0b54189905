"""A run's numbers for other programs: ``scalars``."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.run.folder import RunFolder, find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.output import STANDARD, delivered
from tui_trainer.cli.progress import Ticker

if TYPE_CHECKING:
    from core.view.scalars import Tick


def scalars(
    run: options.Run,
    output: options.Output = STANDARD,
    what: Annotated[
        str | None, typer.Option("--what", metavar="NAME,...", help="Only these: train.loss,val.* [default: all]")
    ] = None,
    force: options.Force = False,
    runs: options.Runs = None,
) -> None:
    """Print every scalar of a run as CSV, a row for each step window, measurement and epoch."""
    from tui_trainer.scalars import write

    folder, ticker = find(run, runs_folder(runs)), Ticker()
    wanted = [name.strip() for name in (what or "").split(",") if name.strip()]
    try:
        with delivered(output or STANDARD, force) as file:
            write(folder, codecs.getwriter("utf-8")(file), wanted, _twice(folder, ticker, output or STANDARD))
    finally:
        ticker.close()


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
