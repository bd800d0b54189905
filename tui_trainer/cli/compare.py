"""``compare``: several runs side by side, in the console or as text."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from core.errors import UserError
from core.run.folder import RunFolder, find, runs_folder
from tui_trainer.cli import opening, options
from tui_trainer.cli.say import say, say_json


class Along(StrEnum):
    step = "step"
    epoch = "epoch"
    time = "time"


Names = Annotated[
    list[str], typer.Argument(metavar="RUN", help="Two to eight runs: names, paths, or 'last'.", show_default=False)
]
AlongOption = Annotated[Along, typer.Option("--by", help="Compare at the same step, epoch, or time trained.")]
Plain = Annotated[bool, typer.Option("--plain", help="Print text, also on a terminal.")]


def compare(
    names: Names,
    runs: options.Runs = None,
    by: AlongOption = Along.epoch,
    plain: Plain = False,
    json: options.Json = False,
) -> None:
    """Compare two to eight runs: curves, results, classes, recipes."""
    chosen = _chosen(names, runs)
    if not (plain or json) and sys.stdin.isatty() and sys.stdout.isatty():
        opening.open_console(runs, compare=chosen, by=by.value)
    from tui_trainer.cli import compare_report

    found = compare_report.subjects(chosen)
    if json:
        say_json(compare_report.document(chosen, found, by.value))
    else:
        say(*compare_report.lines(found, by.value))


def _chosen(names: list[str], runs: options.Runs) -> list[RunFolder]:
    from core.view.comparing import FEWEST, MOST

    if not FEWEST <= len(names) <= MOST:
        raise UserError(f"compare takes {FEWEST} to {MOST} runs, {len(names)} given; see: tui-trainer runs")
    found = [find(name, runs_folder(runs)) for name in names]
    paths = [run.path.resolve() for run in found]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise UserError(f"compare: run '{names[place]}' is named twice; each is compared with the others")
    return found
