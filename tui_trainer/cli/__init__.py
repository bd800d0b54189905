"""The commands. Each is loaded when it is called, and what it needs is imported inside it, so that the console and ``runs`` are
there at once, without torch; the console also without what parses the others."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

from core.errors import TrainingError, UserError
from tui_trainer.cli import opening
from tui_trainer.cli.say import complain
from tui_trainer.stream import Escaped

if TYPE_CHECKING:
    import typer

COMMANDS = {
    "attach": "console.attach",
    "stream": "stream.stream",
    "compare": "compare.compare",
    "watch": "watch.watch",
    "demo": "demo.demo",
    "serve": "serve.serve",
    "train": "train.train",
    "resume": "train.resume",
    "sweep": "sweep.sweep",
    "sweeps": "sweeps.sweeps",
    "queue": "queue.queue",
    "pause": "steer.pause",
    "continue": "steer.go_on",
    "save": "steer.save",
    "stop": "steer.stop",
    "tell": "steer.tell",
    "evaluate": "weights.evaluate",
    "predict": "predict.predict",
    "export": "export.export",
    "runs": "inspect.runs",
    "show": "inspect.show",
    "report": "report.report",
    "scalars": "scalars.scalars",
    "log": "log.log",
    "picture": "picture.picture",
    "tag": "tend.tag",
    "rename": "tend.rename",
    "delete": "tend.delete",
    "verify": "inspect.verify",
    "repair": "inspect.repair",
    "recipes": "catalogue.recipes",
    "model": "catalogue.model",
    "data": "catalogue.data_app",
    "config": "config.config",
    "doctor": "doctor.doctor",
    "completion": "completion.completion",
    "bench": "bench.bench",
}
"""Each by its module and what does it there, in the order of ``--help``."""
SETTINGS: dict[str, dict[str, Any]] = {"tag": {"ignore_unknown_options": True, "help_option_names": ["--help"]}}
"""Of commands that need others than all: ``-word`` takes a tag away, and is no option."""


def application(verbs: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands."""
    import typer

    from tui_trainer.cli.console import home

    app = typer.Typer(
        name="tui-trainer",
        help="Train image classifiers from a terminal: watch live, pause, save, stop, resume. Without a command: the console.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        invoke_without_command=True,
        callback=home,
    )
    for verb in verbs:
        module, _, name = COMMANDS[verb].partition(".")
        does = getattr(import_module(f"{__name__}.{module}"), name)
        if isinstance(does, typer.Typer):
            app.add_typer(does, name=verb)
        else:
            app.command(verb, context_settings=SETTINGS.get(verb))(does)
    return app


def _called(words: Sequence[str]) -> Iterable[str]:
    """The commands that these words can come to: one; none for the console; all for help and where a mistake was made."""
    return words[:1] if not words or words[0] in COMMANDS else COMMANDS


READER_GONE = 128 + signal.SIGPIPE


def run() -> NoReturn:
    """Parse the command line and do it. An error that the user can mend is one line and exit status 2, never a traceback."""
    sys.excepthook = _tell_defect
    try:
        sys.exit(_status())
    finally:
        _drop_unwritten()


def _status() -> int:
    if sys.stdout is None:
        return _wrong("the standard output is closed; give the command one, for instance >/dev/null")
    try:
        return _done(sys.argv[1:])
    except UserError as error:
        return _wrong(str(error))
    except OSError as error:
        return _wrong(f"{error.filename or 'output'}: {error.strerror}")
    except TrainingError as error:
        complain(error.reason)
        return 3
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # typer makes 1 of it
            return READER_GONE
        raise


def _done(words: Sequence[str]) -> int:
    if any(word.startswith("ssh://") for word in words[1:]) and words[0] != "attach":
        from tui_trainer.cli.remote import pass_on

        return pass_on(words)
    if (asked := opening.plainly(words)) is not None:
        gc.disable()  # what is loaded stays; the console takes the collector up again once it is there
        opening.answer(asked)
    return _parsed(words)


def _parsed(words: Sequence[str]) -> int:
    import typer

    usage_error = cast("type[typer.BadParameter]", typer.BadParameter.__base__)  # all are; typer exports only this child
    try:
        return application(_called(words))(words, prog_name="tui-trainer", standalone_mode=False) or 0
    except usage_error as error:
        return _wrong(f"{error.format_message().rstrip('.')}{_see_help(error)}")
    except typer.Abort:
        return 128 + signal.SIGINT


def _tell_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An error that nobody expected has its traceback, whose texts may come from outside like any other."""
    import traceback

    traceback.print_exception(kind, error, trace, file=cast(TextIO, Escaped(sys.stderr)))


def _wrong(text: str) -> int:
    complain(text)
    return 2


def _see_help(error: typer.BadParameter) -> str:
    return f"; see: {error.ctx.command_path} --help" if error.ctx else ""


def _drop_unwritten() -> None:
    """What a full or abandoned standard output did not take would be tried again, with a traceback, at the very end."""
    if sys.__stdout__ is None:
        return
    try:
        sys.__stdout__.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
