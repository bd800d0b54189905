"""``sweeps``: which there are, and what one has come to."""

from __future__ import annotations

from typing import Annotated

import typer

from core.run.folder import runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import say, say_json


def sweeps(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="All trials of this one.", show_default=False)] = None,
    runs: options.Runs = None,
    json: options.Json = False,
) -> None:
    """List the sweeps, the latest first, or the trials of one."""
    from core.sweep.folder import find, list_sweeps
    from tui_trainer.cli import sweep_report

    folder = runs_folder(runs)
    if name is not None:
        found = find(name, folder)
        if json:
            say_json(sweep_report.document(found))
        else:
            say(*sweep_report.lines(found))
        return
    known = list_sweeps(folder)
    if json:
        say_json([sweep_report.brief(sweep) for sweep in known])
    elif known:
        say(*sweep_report.rows(known))
    else:
        say(f"no sweeps in {folder}; begin one with: tui-trainer sweep quickstart --set optimizer.lr=log:1e-4..1e-1")
