"""``log``: a run's numbers for the trackers of others."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UserError
from core.run.folder import RunFolder, find, runs_folder
from tui_trainer import trackers
from tui_trainer.cli import options
from tui_trainer.cli.say import complain, say

if TYPE_CHECKING:
    from tui_trainer.cli.progress import Ticker
    from tui_trainer.forwarding.following import Logged, Logging


def log(
    run: options.Run,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            envvar="TUI_TRAINER_LOG_TO",
            metavar="KIND[:PLACE]",
            help=f"One of {', '.join(trackers.ways())}.",
            show_default=False,
        ),
    ],
    follow: Annotated[bool, typer.Option("--follow", help="Go on until nobody trains the run any more.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="As another run there, from the beginning.")] = False,
    runs: options.Runs = None,
) -> None:
    """Give a run to another tool: scalars, confusion matrices, recipe and result. What it has got before it does not get
    twice."""
    from tui_trainer.cli.progress import Ticker
    from tui_trainer.forwarding.following import Logging

    wanted, folder, ticker = trackers.parse("--to", to), find(run, runs_folder(runs)), Ticker()
    os.umask(0o077)  # what libraries write is for its owner alone too
    logging = Logging(folder, wanted, lambda done: _tick(ticker, folder, done))
    try:
        done = _followed(logging, folder, anew) if follow else logging.once(anew)
    finally:
        ticker.close()
    _tell(folder, wanted.kind, done)


def _tick(ticker: Ticker, folder: RunFolder, done: int) -> None:
    from core.view.summary import READ_WHOLE

    with suppress(OSError):
        if (size := folder.journal.stat().st_size) > READ_WHOLE:
            ticker("reading the journal", done, size, "bytes")


def _followed(logging: Logging, folder: RunFolder, anew: bool) -> Logged:
    """What goes wrong is told in the run's own log too."""
    from tui_trainer.worker_log import note

    def tell(words: str) -> None:
        complain(words)
        note(folder, words)

    try:
        return logging.follow(tell, anew)
    except UserError as error:
        note(folder, str(error))
        raise


def _tell(folder: RunFolder, kind: str, done: Logged) -> None:
    from core.view.words import count

    if done.points:
        say(f"{kind}: {count(done.points, 'point')} of {folder.name}", f"look at it with: {done.hint}")
    else:
        say(f"{kind}: nothing new of {folder.name}; --anew gives it all of the run as another one")
