"""``config``: the file of settings, and what is in force."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from core.errors import UserError
from tui_trainer.cli.say import say
from tui_trainer.escape import printable
from tui_trainer.settings import Settings

WIDTH = 100
"""Columns of what is said about a key."""
ABOUT = (
    "Settings of the console. What follows a '#' without a blank is as delivered, and can be changed once that '#' is gone.",
)
KEYS_ABOUT = (
    "Keys, by action: a letter as it is typed ('g', 'G', '?'), or for instance 'f5', 'ctrl+g', 'shift+left', 'space',",
    "'pagedown'. An empty list takes an action's keys away.",
)
LAYOUTS_ABOUT = (
    "Panels that are not shown, by recipe (or default) and page; by the names of their files, on the page of plots by those",
    "of the metrics. For instance: [layouts.default] and below it overview = [\"device\"].",
)  # fmt: skip


def config(
    init: Annotated[bool, typer.Option("--init", help="Write a file with all settings as comments.")] = False,
) -> None:
    """Show the console's settings in force, as TOML, and where they are kept."""
    from tui_trainer import settings

    if init:
        _write()
        return
    file, found = settings.path(), settings.load()
    there = "" if file.exists() else " (there is none: all as delivered; --init writes one)"
    say(printable(f"# {file}{there}"), "", *map(printable, document(found)))


def document(settings: Settings, mark: str = "") -> Iterator[str]:
    """All settings as lines of TOML, with words on each; ``mark`` stands before what is as delivered."""
    from tui_trainer.actions import TABLE

    for name, words in _about():
        yield from textwrap.wrap(words, WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield f"{mark}{name} = {_value(getattr(settings, name))}"
        yield ""
    yield from (f"# {line}" for line in KEYS_ABOUT)
    yield f"{mark}[keys]"
    for action in TABLE:
        keys = settings.keymap.keys(action)
        yield f"{mark}{action.id} = {_value(keys)}  # {action.help}"
    yield from ("", *(f"# {line}" for line in LAYOUTS_ABOUT))
    for recipe, layout in settings.layouts.items():
        yield f"[layouts.{_value(recipe)}]"
        yield from (f"{page} = {_value(hidden)}" for page, hidden in layout.items())


def _about() -> tuple[tuple[str, str], ...]:
    from tui_trainer.theme import NAMES

    return (
        ("theme", f"Colours: {', '.join(NAMES)}; empty: those that were chosen last."),
        ("marker", "What curves are drawn with: braille, quadrants, dots or ascii."),
        ("smoothing", "Weight of the past in the smoothed curves: 0 is none, below 1."),
        ("log", 'What trainings that the console starts are given to, as train --log has it: ["tensorboard"].'),
    )


def _value(value: Any) -> str:
    """Texts, numbers and lists of texts are the same in TOML and in JSON."""
    return json.dumps(value, ensure_ascii=False)


def _write() -> None:
    from core.files import create, make_folder
    from tui_trainer import settings

    file = settings.path()
    text = "\n".join([*(f"# {line}" for line in ABOUT), "", *document(Settings(), mark="#")]) + "\n"
    try:
        make_folder(file.parent)
        with create(file) as output:
            output.write(text.encode())
    except FileExistsError:
        raise UserError(f"{file}: there is such a file already, and nothing is written over it; edit that one") from None
    say(printable(str(file)))
