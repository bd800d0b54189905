"""Starting the console, by whichever command. Nothing here waits for what only other commands need."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from core.errors import UserError
from core.run.folder import RunFolder, find, runs_folder
from core.view.words import count
from tui_trainer.cli.say import complain

if TYPE_CHECKING:
    from core.sweep.folder import SweepFolder
    from core.view.comparing import By
    from tui_trainer.app import Personal, TrainerApp


class Asked(NamedTuple):
    """What a command line asks the console for."""

    run: str | None = None
    """None: Home."""


def plainly(words: Sequence[str]) -> Asked | None:
    """What these words ask for where they are ``attach RUN`` or none at all; whatever else they are is for the parser of
    commands, which takes a quarter of a first frame's time to load."""
    match list(words):
        case []:
            return Asked()
        case ["attach", run] if not run.startswith(("-", "ssh://")):
            return Asked(run)
    return None


def answer(asked: Asked) -> NoReturn:
    """As the commands do."""
    open_console(None, find(asked.run, runs_folder()) if asked.run is not None else None)


def prepare() -> Personal:
    """For a console in this process: what a person has settled, and what is remembered of the last one. Raises UserError where
    there is no terminal."""
    from tui_trainer import memory, pixels, settings, tour

    pixels.choice(os.environ)  # so that a wrong one is told before there is a screen
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("the console needs a terminal; without one use train, resume, show and the other commands of --help")
    if os.environ.get("TERM") in ("dumb", "unknown"):
        raise UserError("the console needs a terminal that can move its cursor, which TERM says it cannot; use train, show ...")
    if os.environ.get("TERM") in pixels.NAMES and not os.environ.get("COLORTERM"):
        os.environ["COLORTERM"] = "truecolor"  # which ssh does not carry along
    settled = settings.load()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # without its terminal a console only burns time, even below nohup
    gc.disable()  # until the first frame is there
    return {"settings": settled, "memory": memory.Memory(memory.path()), "tour": tour.Tour.opened(tour.path())}


def show(app: TrainerApp) -> NoReturn:
    """Until it is left; the terminal is as it was then."""
    try:
        app.run()
    finally:  # also where the screens could not do so any more
        sys.stderr.write(app.outside.restore())
    if not app.return_code and (removed := app.trash.empty()):  # after a defect of the console they can be brought back
        complain(f"{count(removed, 'deleted run')} removed for good")
    sys.exit(app.return_code)


def open_console(
    runs: Path | None,
    run: RunFolder | None = None,
    compare: Sequence[RunFolder] = (),
    by: By = "epoch",
    sweep: SweepFolder | None = None,
) -> NoReturn:
    """On Home, on a run, on several that are compared, or on a sweep."""
    personal = prepare()
    from tui_trainer.feed import Feed

    folder, feed = runs_folder(runs), Feed(run) if run else None
    if feed:
        feed.start()  # a long journal is being read while the screen is being loaded
    from tui_trainer.app import TrainerApp

    show(TrainerApp(folder, run, feed=feed, compare=compare, by=by, sweep=sweep, **personal))
