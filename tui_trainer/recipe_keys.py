"""Keys of a recipe as people type them, ``key.path=value`` one after the other: which there are, and which ones make one recipe
of another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_type_hints

import msgspec

from core import recipe
from core.errors import UserError
from core.recipe import Recipe

BARE = re.compile(r"[A-Za-z_/~][\w./~-]*", re.ASCII)
"""A text that need not be quoted, unless it means something else in TOML."""
PLAIN_KEY = re.compile(r"[\w-]+", re.ASCII)
MEANING = ("true", "false", "inf", "nan")
TOLD_APART_BY = ("name", "description")
"""What a recipe is called, which trains nothing."""


@cache
def known() -> tuple[str, ...]:
    """Every key but those of a model, which only its own file knows; ``model`` alone, given a name, is another one with none
    of the former's keys."""
    return tuple(sorted([*_keys(Recipe), "model", "model.name"]))


def _keys(section: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    for name, hint in get_type_hints(section).items():
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from _keys(hint, f"{before}{name}.")
        elif f"{before}{name}" != "model":
            yield f"{before}{name}"


def completed(text: str) -> str:
    """The text with its last word completed to the first key that begins so; the text itself where none does."""
    start = len(text) - len(text.split(" ")[-1])
    word = text[start:]
    found = next((key for key in known() if word and "=" not in word and key.startswith(word)), "")
    return f"{text[:start]}{found}=" if found else text


def split(text: str) -> list[str]:
    """Parted at blanks that are in no quotes and in no brackets; within ``"`` what follows a backslash ends nothing."""
    words, word, quote, depth, escaped = list[str](), "", "", 0, False
    for character in text:
        if escaped:
            escaped = False
        elif quote:
            escaped = quote == '"' and character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth = max(depth + (character in "[{") - (character in "]}"), 0)
        if character.isspace() and not quote and not depth:
            words, word = [*words, word], ""
        else:
            word += character
    return [word for word in [*words, word] if word]


def differences(base: Recipe, other: Recipe) -> dict[str, str] | None:
    """What makes the other of the base, texts of values by key; None where that cannot be said by keys."""
    before, after = dict(_leaves(recipe.to_table(base))), dict(_leaves(recipe.to_table(other)))
    found = {key: _text(value) for key, value in after.items() if before.get(key) != value and key not in TOLD_APART_BY}
    try:
        made = recipe.changed(base, [f"{key}={value}" for key, value in found.items()])
    except UserError:
        return None
    named = {name: getattr(other, name) for name in TOLD_APART_BY}
    return found if msgspec.structs.replace(made, **named) == other else None


def _leaves(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _text(value: Any) -> str:
    if isinstance(value, str) and BARE.fullmatch(value) and value not in MEANING:
        return value
    return _toml(value)


def _toml(value: Any) -> str:
    """In one line and without blanks of its own."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # which TOML wants escaped too
        case list() | tuple():
            return f"[{','.join(map(_toml, value))}]"
        case dict():
            return (
                "{"
                + ",".join(f"{key if PLAIN_KEY.fullmatch(key) else _toml(key)}={_toml(item)}" for key, item in value.items())
                + "}"
            )
    return repr(value)
