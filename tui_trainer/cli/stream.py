"""The far side of ``attach ssh://...``, as SSH calls it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from core.errors import UserError
from core.run.folder import find, runs_folder
from tui_trainer.cli import options

Offset = Annotated[int, typer.Option("--from", metavar="BYTE", min=0, help="Up to where the other side has the journal.")]
Mark = Annotated[str, typer.Option("--mark", metavar="HEX", help="What the other side takes for the run up to there.")]


def stream(run: options.Run, begin: Offset = 0, mark: Mark = "", runs: options.Runs = None) -> None:
    """Give a run to 'attach ssh://...' on another machine: what it says on the standard output, commands to it on the standard
    input. SSH calls this; nothing listens on a port."""
    from core.remote.streaming import stream

    if sys.stdout.isatty():
        raise UserError(
            "stream is what ssh calls on the other machine; look at a run there with: tui-trainer attach ssh://HOST/PATH"
        )
    stream(find(run, runs_folder(runs)), begin, mark, sys.stdin.fileno(), sys.stdout.fileno())
