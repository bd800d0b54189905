"""What the last word of a command line can become. Nothing here imports torch: a person waits for it with a finger on tab."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UserError
from core.run.folder import default_runs, find, list_runs

SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""What no shell has a meaning for. A folder may be called anything, and what is completed is typed into a shell."""
LARGEST_HELP = 60
"""Characters."""


class Candidate(NamedTuple):
    value: str
    help: str = ""


class Place(NamedTuple):
    """Where the cursor stands: ``given`` are the positional words before it, ``runs`` is the folder of runs."""

    command: str
    given: Sequence[str]
    runs: Path


def candidates(line: str) -> list[Candidate]:
    """In order; none where the shell's own, which are files, are better."""
    *words, word = _words(line)
    try:
        found = list(_found(words[1:], word))
    except (UserError, OSError):  # a folder of runs that is none, say: that is told when the command is run
        return []
    return [item for item in found if item.value.startswith(word) and SAFE.fullmatch(item.value)]


def _words(line: str) -> list[str]:
    """As a shell parts them, of a line that may end within quotes; the last one is under way, and may be empty."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters, words = True, "", list[str]()
    with suppress(ValueError):
        words += lexer
        return words if words and not line[-1].isspace() else [*words, ""]
    return [*words, lexer.token.lstrip("\"'")]


def _found(words: Sequence[str], word: str) -> Iterator[Candidate]:
    from typer.main import get_command

    from tui_trainer.cli import COMMANDS, application

    place = next((at for at, verb in enumerate(words) if verb in COMMANDS), None)
    if place is None:
        names = [name for name in COMMANDS if not word.startswith("-")]
        yield from (Candidate(name) for name in [*names, "--runs", "--version", "--help"])
        return
    command: Any = get_command(application([words[place]])).commands[words[place]]  # type: ignore[attr-defined]
    rest = list(words[place + 1 :])
    if children := getattr(command, "commands", None):
        if rest and rest[0] in children:
            command, rest = children[rest.pop(0)], rest
        else:
            yield from (Candidate(name, _short(child.help)) for name, child in children.items())
    yield from _of_command(command, [*words[:place], *rest], word)


def _of_command(command: Any, words: Sequence[str], word: str) -> Iterator[Candidate]:
    options = {name: parameter for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    given, values, asked = _parted(words, options)
    place = Place(command.name, given, Path(values["--runs"]) if "--runs" in values else default_runs())
    if asked is not None:
        yield from _values(asked, place)
    elif word.startswith("--") and "=" in word:
        name = word.partition("=")[0]
        if name in options:
            yield from (Candidate(f"{name}={item.value}") for item in _values(options[name], place))
    elif word.startswith("-"):
        yield from (Candidate(name, _short(item.help)) for name, item in options.items() if not getattr(item, "hidden", False))
    elif arguments and (len(given) < len(arguments) or arguments[-1].nargs == -1):
        yield from _values(arguments[min(len(given), len(arguments) - 1)], place)


def _parted(words: Sequence[str], options: dict[str, Any]) -> tuple[list[str], dict[str, str], Any]:
    """Positional words, options with their values, and the option whose value is asked for, if one is."""
    given, values, waiting = list[str](), dict[str, str](), ""
    for each in words:
        if waiting:
            values[waiting], waiting = each, ""
        elif each.startswith("-") and "=" in each:
            name, _, values[name] = each.partition("=")
        elif each in options or each == "--runs":
            waiting = "" if each in options and getattr(options[each], "is_flag", False) else each
        elif not each.startswith("-") or each == "-":
            given.append(each)
    return given, values, options.get(waiting)


def _values(parameter: Any, place: Place) -> Iterable[Candidate]:
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [Candidate(str(item.value)) for item in annotation]
    kind = KINDS.get(f"{place.command} {parameter.name}") or KINDS.get(parameter.name)
    return kind(place) if kind else []


def _runs(place: Place) -> Iterator[Candidate]:
    found = list_runs(place.runs)
    yield from [Candidate("last")] * bool(found)
    yield from (Candidate(run.name) for run in found)


def _recipes(place: Place) -> Iterator[Candidate]:
    from core import recipe

    yield from (Candidate(name, _short(recipe.load(name).description)) for name in recipe.names())


def _sources(place: Place) -> Iterator[Candidate]:
    from core import data

    yield from (Candidate(name) for name in data.choices())


def _checkpoints(place: Place) -> Iterator[Candidate]:
    """Of the run that is named before."""
    from tui_trainer.run_rows import checkpoints

    yield from (Candidate("best"), Candidate("last"))
    for entry in reversed(checkpoints(find(place.given[0], place.runs)) if place.given else []):
        if entry["epoch"] is not None:
            yield Candidate(entry["name"] or entry["checkpoint"], f"epoch {entry['epoch']}, step {entry['step']}")


def _sweeps(place: Place) -> Iterator[Candidate]:
    from core.sweep.folder import list_sweeps

    yield from (Candidate(sweep.name) for sweep in list_sweeps(place.runs))


def _queued(place: Place) -> Iterator[Candidate]:
    """What is not over yet."""
    from core.queue.folder import QueueFolder

    entries = QueueFolder(place.runs).read()
    yield from (Candidate(entry.name, entry.state) for entry in entries if not entry.ended)
    yield from [Candidate("all")] * (place.command == "cancel" and bool(entries))


def _keys(place: Place) -> Iterator[Candidate]:
    from tui_trainer.recipe_keys import known

    yield from (Candidate(f"{key}=") for key in known())


def _changes(place: Place) -> Iterator[Candidate]:
    """Of a living run."""
    from tui_trainer.cli.steer import KEYS

    yield from (Candidate(f"{key}=") for key in KEYS)


def _models(place: Place) -> Iterator[Candidate]:
    from core import models

    yield from (Candidate(name) for name in models.names())


def _devices(place: Place) -> Iterator[Candidate]:
    yield from map(Candidate, ("auto", "cpu", "cuda", "mps"))


def _trackers(place: Place) -> Iterator[Candidate]:
    from tui_trainer import trackers

    yield from map(Candidate, trackers.kinds())


KINDS: dict[str, Callable[[Place], Iterable[Candidate]]] = {
    "run": _runs, "target": _runs, "names": _runs, "weights": _runs, "recipe": _recipes, "recipes": _recipes,
    "data": _sources, "get name": _sources, "checkpoint": _checkpoints, "model": _models, "device": _devices,
    "which": _queued, "changes": _keys, "search": _keys, "tell changes": _changes, "recipes name": _recipes,
    "sweeps name": _sweeps, "sweep show": _sweeps, "sweep resume": _sweeps, "sweep stop": _sweeps,
    "log": _trackers, "log to": _trackers,
}  # fmt: skip
"""By what a parameter is called in its command; of all others the shell completes files."""


def _short(text: str | None) -> str:
    first = " ".join((text or "").split()).partition(". ")[0].rstrip(".")
    return first if len(first) <= LARGEST_HELP else f"{first[:LARGEST_HELP]}…"
