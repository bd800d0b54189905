"""The commands. What a verb needs is imported inside it, so that ``--help`` and ``runs`` answer at once, without torch."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from core.errors import TrainingError, UserError
from tui_trainer.cli import catalogue, console, doctor, inspect, steer, train, weights
from tui_trainer.cli.say import complain

app = typer.Typer(
    name="tui-trainer",
    help="Train image classifiers from a terminal: watch live, pause, save, stop, resume. Without a command: the console.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    callback=console.home,
)

app.command("attach")(console.attach)
app.command("train")(train.train)
app.command("resume")(train.resume)
app.command("pause")(steer.pause)
app.command("continue")(steer.go_on)
app.command("save")(steer.save)
app.command("stop")(steer.stop)
app.command("tell")(steer.tell)
app.command("evaluate")(weights.evaluate)
app.command("predict")(weights.predict)
app.command("runs")(inspect.runs)
app.command("show")(inspect.show)
app.command("verify")(inspect.verify)
app.command("recipes")(catalogue.recipes)
app.command("model")(catalogue.model)
app.add_typer(catalogue.data_app, name="data")
app.command("doctor")(doctor.doctor)


def run() -> NoReturn:
    """Parse the command line and do it. An error that the user can mend is one line and exit status 2, never a traceback."""
    try:
        app(prog_name="tui-trainer")
    except UserError as error:
        complain(str(error))
        sys.exit(2)
    except TrainingError as error:
        complain(error.reason)
        sys.exit(3)
    sys.exit(0)
