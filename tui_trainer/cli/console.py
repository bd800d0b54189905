"""The two ways into the console."""

from __future__ import annotations

import gc
import signal
import sys

import typer

from core.errors import UserError
from core.run.folder import RunFolder, find, runs_folder
from tui_trainer.cli import options


def home(context: typer.Context, runs: options.Runs = None) -> None:
    if context.invoked_subcommand is None:
        _open(runs, None)
    elif runs is not None:
        context.default_map = {context.invoked_subcommand: {"runs": str(runs)}}


def attach(run: options.Run, runs: options.Runs = None) -> None:
    """Open the console on a living or ended run."""
    _open(runs, find(run, runs_folder(runs)))


def _open(runs: options.Runs, run: RunFolder | None) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("the console needs a terminal; without one use train, resume, show and the other commands of --help")
    from tui_trainer import memory, settings
    from tui_trainer.feed import Feed

    settled = settings.load()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # without its terminal a console only burns time, even below nohup
    gc.disable()  # until the first frame is there
    folder, feed = runs_folder(runs), Feed(run) if run else None
    if feed:
        feed.start()  # a long journal is being read while the screen is being loaded
    from tui_trainer.app import TrainerApp

    app = TrainerApp(folder, run, feed=feed, settings=settled, memory=memory.Memory(memory.path()))
    try:
        app.run()
    finally:  # also where the screens could not do so any more
        sys.stderr.write(app.outside.restore())
    sys.exit(app.return_code)
