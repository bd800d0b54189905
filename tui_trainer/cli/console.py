"""The ways into the console, as commands."""

from __future__ import annotations

from typing import Annotated

import typer

from core.remote.address import is_remote
from core.run.folder import find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.opening import open_console
from tui_trainer.cli.say import say

RUN = "A run's name, its path, 'last', or ssh://[user@]host[:port]/path/to/run on another machine."


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


def attach(
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN, show_default=False)],
    runs: options.Runs = None,
    remote_command: options.RemoteCommand = "",
) -> None:
    """Open the console on a living or ended run, here or on another machine."""
    if is_remote(run):
        from tui_trainer.cli.remote import attach

        attach(run, remote_command)
    open_console(runs, find(run, runs_folder(runs)))
