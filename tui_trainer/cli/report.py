"""A run on one page: ``report``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from core.run.folder import find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.output import deliver
from tui_trainer.cli.progress import Ticker
from tui_trainer.escape import file_name


def report(
    run: options.Run,
    output: options.Output = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown, without pictures, as for a pull request.")] = False,
    force: options.Force = False,
    runs: options.Runs = None,
) -> None:
    """Write a page about a run: result, curves, classes, mistakes, recipe."""
    from core.view import whole
    from tui_trainer.reporting.contents import contents

    folder = find(run, runs_folder(runs))
    ticker = Ticker()
    try:
        state = whole.look(folder, lambda done, total: ticker("reading the journal", done, total, "bytes"))
    finally:
        ticker.close()
    found = contents(folder, state, time.time())
    if markdown:
        from tui_trainer.reporting.markdown import markdown as write
    else:
        from tui_trainer.reporting.page import page as write
    name = f"{file_name(folder.name)}-report.{'md' if markdown else 'html'}"
    deliver(output or Path(name), write(found).encode(), force)
