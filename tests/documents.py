"""What pages of documentation tell people to type, held against the real command line without anything being run.

assert wrong_commands(Path("docs/ci.md").read_text("utf-8")) == []
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from typing import Any

from typer.main import get_command

from core import recipe as recipes
from core.errors import UserError
from tui_trainer.cli import application, require

PROGRAM = "tui-trainer"
BLOCK = re.compile(r"^([ ]*)```(\w*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"<!-- (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
INLINE = re.compile(rf"`({PROGRAM} [^`\n]+)`")
ANY = "COMMAND"
"""Stands for whichever of them."""
SHELL = ("sh", "bash", "console")
BETWEEN = re.compile(r"[;&|()<>]+")
"""Words of a shell that end a command."""
BEFORE = ("uvx", "pipx", "run", "exec", "time", "nohup", "env", "if", "then", "while", "do", "!")
"""Words after which a command begins."""


def blocks(page: str, *languages: str) -> list[str]:
    """The fenced blocks of a Markdown page in one of these languages."""
    return [text for _, language, text in BLOCK.findall(page) if language in languages]


def files(page: str) -> dict[str, str]:
    """The files that a page shows whole: a block below a comment that names it."""
    return dict(FILE.findall(page))


def commands(shell: str) -> list[list[str]]:
    """The words after ``tui-trainer`` of each such command of a shell script."""
    found = []
    for line in re.sub(r"\\\n\s*", " ", shell).splitlines():
        for words in _simple(line):
            places = [place for place, word in enumerate(words) if _is_program(words[:place], word)]
            found += [words[place + 1 :] for place in places]
    return found


def all_commands(page: str) -> list[list[str]]:
    """Those of a page's shell blocks, and those that stand as code in its sentences, where a lone name only speaks of it."""
    run = [found for block in blocks(page, *SHELL) for found in commands(block)]
    named = [found for text in INLINE.findall(page) for found in commands(text)]
    return [*run, *([*found, "--help"] if len(found) == 1 else found for found in named if found[:1] != [ANY])]


def wrong_commands(page: str) -> list[str]:
    """Those that the command line would not take, each with its answer."""
    return wrong_among(all_commands(page))


def wrong_among(found: Iterable[Sequence[str]]) -> list[str]:
    answers = ((words, answer_to(words)) for words in found)
    return [f"{PROGRAM} {shlex.join(words)}: {answer}" for words, answer in answers if answer]


def answer_to(words: Sequence[str]) -> str:
    """What the parser says to these words, recipes, changes and requirements included; empty where it takes them."""
    try:
        with redirect_stdout(StringIO()):  # --help is answered at once
            _look_at(_parsed(_command_line(), words))
    except Exception as error:  # the parser's own kinds have no public name
        return "" if getattr(error, "exit_code", None) == 0 else f"{type(error).__name__}: {error}"
    return ""


@cache
def _command_line() -> Any:
    return get_command(application())


def _simple(line: str) -> Iterator[list[str]]:
    """The simple commands of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if BETWEEN.fullmatch(word):
            yield words
            words = []
        else:
            words.append(word)
    yield words


def _is_program(before: Sequence[str], word: str) -> bool:
    """A name of the program that stands where a command does, and is no argument of another."""
    runs = all("=" in one or one in BEFORE or one.startswith("-") or one == "." for one in before)
    return word.rpartition("/")[2] == PROGRAM and runs


def _parsed(command: Any, words: Sequence[str], parent: Any = None) -> dict[str, Any]:
    """What the function of a command would be called with."""
    context = command.make_context(command.name or PROGRAM, list(words), parent=parent)
    rest = [*context._protected_args, *context.args]
    if rest and hasattr(command, "resolve_command"):
        _, child, rest = command.resolve_command(context, rest)
        return _parsed(child, rest, context)
    return {"command": command.name, **context.params}


def _look_at(given: dict[str, Any]) -> None:
    """Raises UserError for what only the command itself would look at."""
    requirements = require.parse(given.get("required") or ())
    recipe = given.get("recipe")
    if given["command"] in ("train", "model") and recipe in recipes.names():
        require.check(requirements, recipes.load(recipe, given.get("changes") or ()))
    elif given["command"] == "train" and not str(recipe).endswith(".toml") and not str(recipe).isupper():
        raise UserError(f"recipe {recipe!r}: not one of {', '.join(recipes.names())}")
