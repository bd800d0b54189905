"""Words that a person has pinned to a run: ``tags.json`` in its folder. No training reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from core.errors import UNREADABLE, UserError
from core.files import read_plain, write_whole
from core.run.folder import RunFolder

NAME = "tags.json"
LARGEST = 64 << 10
"""Bytes."""
MOST = 16
"""Tags of a run."""
WORD = re.compile(r"[^\W_][\w.+-]{0,31}")


class _Tags(msgspec.Struct, frozen=True):
    tags: list[Any] = []


def read(run: RunFolder) -> tuple[str, ...]:
    """Those that are there and could be written; none where the file is missing or something else."""
    try:
        found = msgspec.json.decode(read_plain(run.path / NAME, LARGEST), type=_Tags).tags
    except (OSError, *UNREADABLE):
        return ()
    return _once(word for word in found if isinstance(word, str) and WORD.fullmatch(word))[:MOST]


def write(run: RunFolder, tags: Iterable[str]) -> None:
    """In the place of those that were there. Raises UserError."""
    kept = changed((), tags)
    try:
        if kept:
            write_whole(run.path / NAME, msgspec.json.encode(_Tags(list(kept))) + b"\n")
        else:
            (run.path / NAME).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{run.path / NAME}: cannot be written: {error.strerror}") from None


def changed(tags: Iterable[str], words: Iterable[str]) -> tuple[str, ...]:
    """The tags with ``word`` put to them and ``-word`` taken away, in order. Raises UserError."""
    kept = list(tags)
    for word in words:
        name = checked(word.removeprefix("-")).casefold()
        if word.startswith("-"):
            kept = [tag for tag in kept if tag.casefold() != name]
        else:
            kept.append(word)
    if len(once := _once(kept)) > MOST:
        raise UserError(f"{len(once)} tags, where at most {MOST} were expected")
    return once


def checked(word: str) -> str:
    """Raises UserError for what is no tag."""
    if not WORD.fullmatch(word):
        raise UserError(f"tag {word!r}: expected a word of at most 32 letters, digits, '.', '_', '+' or '-'")
    return word


def _once(words: Iterable[str]) -> tuple[str, ...]:
    """Each as it was first written, whatever its case."""
    first: dict[str, str] = {}
    for word in words:
        first.setdefault(word.casefold(), word)
    return tuple(first.values())
