"""The ways into the console, as commands."""

from __future__ import annotations

import typer

from core.run.folder import find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.opening import open_console


def home(context: typer.Context, runs: options.Runs = None) -> None:
    if context.invoked_subcommand is None:
        open_console(runs)
    elif runs is not None:
        context.default_map = {context.invoked_subcommand: {"runs": str(runs)}}


def attach(run: options.Run, runs: options.Runs = None) -> None:
    """Open the console on a living or ended run."""
    open_console(runs, find(run, runs_folder(runs)))
