"""msgspec's message on a wrong table turned round: the key first, then what was expected, in plain words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""msgspec's names of types, and what a writer of TOML calls them."""


def explain(message: str, table: Any, root: type[msgspec.Struct], prefix: str = "") -> str:
    """``message`` is a ValidationError's on a ``table`` that should have been a ``root``; ``prefix`` is where the table stands
    in the recipe, for instance ``model.``."""
    body, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    if unknown := re.match(r"Object contains unknown field `(.*)`", body):
        full = f"{key}.{unknown[1]}" if key else unknown[1]
        known = _fields(root, key)
        return f"unknown key '{prefix}{full}'{hint(unknown[1], known) or '; known are ' + ', '.join(known)}"
    if choice := re.match(r"Invalid (?:enum )?value (.*)", body):
        return f"{prefix}{key}: expected one of {', '.join(_choices(root, key))}, got {choice[1]}"
    body = re.sub(r"`([a-z]+(?: \| [a-z]+)*)`", _in_words, body)
    return (
        f"{prefix}{key}: {body[0].lower()}{body[1:]}{_given(key, table)}"
        if key
        else f"{prefix.rstrip('.')}: {body}".lstrip(": ")
    )


def hint(word: str, known: list[str]) -> str:
    """Asks whether the nearest of ``known`` was meant; empty when none is near."""
    close = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _in_words(types: re.Match[str]) -> str:
    """TOML has no null, so a key that may be left out is told as what it holds when it is there."""
    return " or ".join(TYPES.get(name, name) for name in types[1].split(" | ") if name != "null")


def _given(key: str, table: Any) -> str:
    if not key:
        return ""
    for part in key.split("."):
        if not isinstance(table, dict) or part not in table:
            return ""
        table = table[part]
    return f" (given: {table!r})"


def _fields(root: type[msgspec.Struct], key: str) -> list[str]:
    found = _type_at(root, _parts(key))
    return [field.name for field in msgspec.structs.fields(found)] if _is_struct(found) else []


def _choices(root: type[msgspec.Struct], key: str) -> list[str]:
    """What a key may hold whose type is a Literal, or that tells the Structs of a union apart."""
    *parents, _ = parts = _parts(key)
    holder = _type_at(root, parents)
    if _is_struct(holder):
        return [str(value) for value in get_args(_type_at(root, parts))]
    return [str(struct.__struct_config__.tag) for struct in get_args(holder)]


def _parts(key: str) -> list[str]:
    """``augment[0].name`` taken apart: augment, 0, name."""
    return re.findall(r"[^.\[\]]+", key)


def _type_at(root: type[msgspec.Struct], parts: Sequence[str]) -> Any:
    """The type of a key, or of a tuple's items; None where there is no such key."""
    found: Any = root
    for part in parts:
        if _is_struct(found):
            found = next((field.type for field in msgspec.structs.fields(found) if field.name == part), None)
        else:
            found = next(iter(get_args(found)), None) if part.isdigit() else None
    return found


def _is_struct(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, msgspec.Struct)
