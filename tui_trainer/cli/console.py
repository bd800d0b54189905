"""The ways into the console, as commands."""

from __future__ import annotations

from typing import Annotated

import typer

from core.run.folder import find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.opening import open_console
from tui_trainer.cli.say import say


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"tui-trainer {version('tui-trainer')}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)]


def home(context: typer.Context, runs: options.Runs = None, version: Version = False) -> None:
    if context.invoked_subcommand is None:
        open_console(runs)
    elif runs is not None:
        context.default_map = {context.invoked_subcommand: {"runs": str(runs)}}


def attach(run: options.Run, runs: options.Runs = None) -> None:
    """Open the console on a living or ended run."""
    open_console(runs, find(run, runs_folder(runs)))
