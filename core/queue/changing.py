"""What people do with a queue: add to it, cancel, move, clear."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from core import commands
from core import recipe as recipes
from core.errors import UserError
from core.models import is_code
from core.queue.entries import Entry, cancelled, find, moved, replaced, short, waiting
from core.queue.folder import QueueFolder
from core.recipe import Recipe
from core.run import inbox, seal, session
from core.run.folder import RunFolder, Taken, check_name, free_name, reference


class Wish(NamedTuple):
    recipe: Recipe
    seeds: Sequence[int] = ()
    """A run for each; empty for the recipe's own."""
    name: str = ""
    """Of the run, or what the names of several begin with."""
    asked: str = ""
    changes: tuple[str, ...] = ()
    threads: int | None = None
    code: Path | None = None
    """Folder with code of the user's own, where it is they who have named it as the model."""


def add(queue: QueueFolder, wish: Wish) -> list[Entry]:
    """An entry for each seed, at the end of the queue. Raises UserError, in one line, for whatever would make such a run fail
    that can be seen before; nothing is added then."""
    if wish.name:
        check_name(wish.name)
    several = len(wish.seeds) > 1
    chosen = [_absolute(recipes.changed(wish.recipe, {"seed": seed})) for seed in wish.seeds or (wish.recipe.seed,)]
    for recipe in chosen[:1]:  # they differ in nothing else
        session.check(recipe, wish.threads, wish.code)
    try:
        with queue.edit() as entries:
            added = list[Entry]()
            for recipe in chosen:
                stem = f"{wish.name or recipe.name}-seed-{recipe.seed}" if several else wish.name or recipe.name
                added.append(_entry(wish, recipe, _name(queue, [*entries, *added], stem, own=bool(wish.name))))
            entries += added
    except OSError as error:
        raise unwritable(queue, error) from None
    return added


def unwritable(queue: QueueFolder, error: OSError) -> UserError:
    return UserError(f"{error.filename or queue.file}: cannot be written: {error.strerror}; choose another --runs folder")


def _name(queue: QueueFolder, entries: Iterable[Entry], stem: str, own: bool) -> str:
    """That no run and no entry which will become one has. Raises Taken for one of the person's ``own``."""
    promised = {entry.name for entry in entries if not entry.ended}
    if own and (stem in promised or os.path.lexists(queue.runs / check_name(stem))):
        what = "queued" if stem in promised else "a run"
        raise Taken(f"--name: {stem} is {what} already; choose another --name")
    number, name = 1, free_name(stem[:90], queue.runs)
    while name in promised:
        number += 1
        name = free_name(f"{stem[:90]}-{number}", queue.runs)
    return name


def _entry(wish: Wish, recipe: Recipe, name: str) -> Entry:
    entry = Entry(
        id=secrets.token_hex(8), name=name, recipe=recipes.to_table(recipe), asked=short(wish.asked),
        changes=tuple(map(short, wish.changes)), threads=wish.threads, added=time.time(),
    )  # fmt: skip
    if not (wish.code and is_code(recipe.model)):
        return entry
    entry = replace(entry, code=str(wish.code.absolute()))
    return replace(entry, seal=seal.seal(*_sealed(entry)).hex())


def code_of(entry: Entry) -> Path | None:
    """The folder of the code that its run may run; None unless it was this user who queued it."""
    with suppress(ValueError):
        if entry.code and seal.holds(bytes.fromhex(entry.seal), *_sealed(entry)):
            return Path(entry.code)
    return None


def _sealed(entry: Entry) -> tuple[bytes, ...]:
    model = msgspec.json.encode(entry.recipe.get("model"), order="deterministic")
    return b"queue", entry.id.encode(), entry.code.encode(), model


def _absolute(recipe: Recipe) -> Recipe:
    """Its run may be begun from another folder."""
    data, weights = recipe.data, recipe.finetune.weights
    if data.path and Path(data.path).expanduser().exists():
        recipe = replace(recipe, data=replace(data, path=str(Path(data.path).expanduser().absolute())))
    if weights and Path(weights).exists():
        recipe = replace(recipe, finetune=replace(recipe.finetune, weights=str(Path(weights).absolute())))
    return recipe


def cancel(queue: QueueFolder, which: str) -> list[Entry]:
    """One by its position or name, or ``all`` that wait; returns them. One that is trained ends with a checkpoint, as by
    ``stop``. Raises UserError."""
    return _cancel(queue, lambda entries: waiting(entries) if which == "all" else [find(entries, which)])


def cancel_waiting(queue: QueueFolder, id: str) -> None:
    """One that a person has seen waiting; nothing where it does no more. Raises UserError."""
    _cancel(queue, lambda entries: [entry for entry in waiting(entries) if entry.id == id])


def _cancel(queue: QueueFolder, choose: Callable[[Sequence[Entry]], list[Entry]]) -> list[Entry]:
    try:
        with queue.edit() as entries:
            after = [_without(queue, entry) for entry in choose(entries)]
            for entry in after:
                entries[:] = replaced(entries, entry)
    except OSError as error:
        raise unwritable(queue, error) from None
    return after


def _without(queue: QueueFolder, entry: Entry) -> Entry:
    if entry.ended:
        run = f"; its run goes on with: tui-trainer resume {reference(queue.run(entry))}" if entry.run else ""
        raise UserError(f"queue: {entry.name} is over already: {entry.state}{run}")
    if entry.state == "training":
        alive = queue.is_run_of(entry) and queue.run(entry).alive()
        if alive:
            stop(queue.run(entry))
        if alive or queue.conducted:
            return replace(entry, ending=True)  # it is over once its trainer is gone
    return cancelled(entry, time.time())


def stop(run: RunFolder) -> None:
    with suppress(UserError):  # it has ended by itself
        inbox.send(run, commands.Stop())


def move(queue: QueueFolder, which: str, to: int) -> tuple[Entry, int]:
    """One that waits, to another position, the last one where there are not so many; returns which that is.
    Raises UserError."""
    try:
        with queue.edit() as entries:
            entry = find(entries, which)
            if entry.state != "waiting":
                raise UserError(f"queue: {entry.name} does not wait: {entry.state}")
            entries[:] = moved(entries, entry, to)
            return entry, 1 + waiting(entries).index(entry)
    except OSError as error:
        raise unwritable(queue, error) from None


def move_waiting(queue: QueueFolder, id: str, to: int) -> None:
    """One that a person has seen waiting; nothing where it does no more. Raises UserError."""
    try:
        with queue.edit() as entries:
            for entry in waiting(entries):
                if entry.id == id:
                    entries[:] = moved(entries, entry, to)
    except OSError as error:
        raise unwritable(queue, error) from None


def clear(queue: QueueFolder) -> int:
    """Take those out that are over, whose runs stay as they are; returns how many. Raises UserError."""
    try:
        with queue.edit() as entries:
            over = sum(entry.ended for entry in entries)
            entries[:] = [entry for entry in entries if not entry.ended]
    except OSError as error:
        raise unwritable(queue, error) from None
    return over
