"""``watch``: what others wrote, in the console or as lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli import opening

if TYPE_CHECKING:
    from core.watching.watching import Watching

INTERVAL = 0.05
"""Seconds between two looks at whether all has been read."""
PATIENCE = 2.0
"""Seconds after which it is said that this takes a while."""

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...",
        help="Folders, and what lies below them, or files: TensorBoard event files, Lightning's CSVLogger, CSV, JSON lines.",
        show_default=False,
    ),
]
Once = Annotated[bool, typer.Option("--once", help="Print how they stand now, and end.")]
Lines = Annotated[bool, typer.Option("--json", help="Print the events, one JSON object a line; with --once one document.")]


def watch(paths: Paths, once: Once = False, json: Lines = False) -> None:
    """Watch what other programs log, live: one run, or several side by side. Nothing is written to their folders."""
    from core.watching.watching import watching

    if once:
        with watching(paths, once=True) as found:
            _print(found, json)
    elif json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from tui_trainer.watched_lines import follow

        with watching(paths) as found:
            follow(found, paths, json)
    else:
        _open(paths)


def _open(paths: list[Path]) -> None:
    personal = opening.prepare()
    from core.watching.watching import watching
    from tui_trainer.watching import WatchingApp

    with watching(paths) as found:
        opening.show(WatchingApp(found, paths, personal["settings"], personal["memory"]))


def _print(found: Watching, json: bool) -> None:
    import time

    from core.view.summary import summarise
    from tui_trainer import watched_lines
    from tui_trainer.cli.say import say, say_json, table

    _wait(found)
    looked = [(run, summarise(run)) for run in found.runs]
    if json:
        say_json([watched_lines.document(run, state) for run, state in looked])
        return
    for place, (run, state) in enumerate(looked):
        facts = watched_lines.facts(run, state, time.time())
        say(*[""] * bool(place), *table([pair for pair in facts if pair[1]]))


def _wait(found: Watching) -> None:
    """Until all has been read; where that takes a while, how much has been taken in by now."""
    import time

    from tui_trainer.cli.progress import Ticker

    ticker, begun = Ticker(), time.monotonic()
    try:
        while found.process.poll() is None:
            time.sleep(INTERVAL)
            if time.monotonic() - begun > PATIENCE:
                taken = sum(run.journal.stat().st_size for run in found.runs if run.journal.exists())
                ticker("reading the files", taken >> 20, 0, "MiB")
    finally:
        ticker.close()
    found.wait()
