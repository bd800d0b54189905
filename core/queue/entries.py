"""A queue as a value: an Entry for each training that was asked for, in the order in which they begin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from core.errors import UserError
from core.events import FORMAT
from core.events.base import Whole
from core.format import prepare
from core.run.folder import NAME

State: TypeAlias = Literal["waiting", "training", "done", "failed", "cancelled"]
ENDED = ("done", "failed", "cancelled")
MOST = 1000
"""Entries of a queue, those that are over included."""
DEVICE = "[a-z]{0,8}(?::[0-9]{1,4})?"
SHORT = 400
Short: TypeAlias = Annotated[str, Meta(max_length=SHORT)]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    name: Annotated[str, Meta(pattern=rf"^{NAME.pattern}\Z")]
    """Of the run that it becomes."""
    recipe: dict[str, Any] = {}
    """All of it, as it was when it was queued: a file that is edited later changes nothing."""
    asked: Short = ""
    """The recipe as it was called."""
    changes: tuple[Short, ...] = ()
    """``key.path=value``, what it was asked to have otherwise."""
    state: State = "waiting"
    device: Annotated[str, Meta(pattern=rf"^{DEVICE}\Z")] = ""
    """Where it is trained."""
    threads: Annotated[int, Meta(ge=1, le=1 << 16)] | None = None
    added: float = 0.0
    """Unix seconds, as those below; 0 for not yet."""
    began: float = 0.0
    over: float = 0.0
    note: Short = ""
    """What it came to, or why to nothing."""
    run: Annotated[str, Meta(max_length=64)] = ""
    """The id of its run, once that is there: another one of its name is not taken for it."""
    ending: bool = False
    """It was cancelled while it was trained, and is to end with a checkpoint."""
    step: Whole = 0
    """How far it had come when its trainer was gone the last time."""
    cut: Whole = 0
    """How often its trainer was gone since it came any further."""
    code: Annotated[str, Meta(max_length=4096)] = ""
    """Folder of the code of the user's own that is its model, sealed by them (:mod:`core.run.seal`)."""
    seal: Annotated[str, Meta(max_length=128)] = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def recipe_name(self) -> str:
        return str(self.recipe.get("name", ""))

    @property
    def seed(self) -> int:
        seed = self.recipe.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    @property
    def wanted_device(self) -> str:
        """Empty for any."""
        device = canonical(str(self.recipe.get("device", "")))
        return device if re.fullmatch(DEVICE, device) else ""


class QueueFile(msgspec.Struct, frozen=True, kw_only=True):
    """``queue.json``."""

    format: int = FORMAT
    entries: Annotated[tuple[Entry, ...], Meta(max_length=MOST)] = ()


prepare(QueueFile)


def short(text: str) -> str:
    """As it can be written: paths need not be UTF-8."""
    return text[:SHORT].encode("utf-8", "replace").decode()


def canonical(device: str) -> str:
    """One name for one device; empty for ``auto``."""
    return {"auto": "", "cuda": "cuda:0"}.get(device, device)


def waiting(entries: Iterable[Entry]) -> list[Entry]:
    """In their order, which is that of their positions: 1, 2 ..."""
    return [entry for entry in entries if entry.state == "waiting"]


def find(entries: Sequence[Entry], which: str) -> Entry:
    """By the position of one that waits, or by its name: the one that is not over, else the latest. Raises UserError."""
    if which.isdecimal():
        queued = waiting(entries)
        if not 1 <= int(which) <= len(queued):
            there = f"the positions are 1 to {len(queued)}" if queued else "none is waiting"
            raise UserError(f"queue: no entry waits at position {which}; {there}; see: tui-trainer queue")
        return queued[int(which) - 1]
    named = sorted(
        (entry for entry in entries if entry.name == which), key=lambda entry: not entry.ended
    )  # stable: the latest last
    if not named:
        raise UserError(f"queue: there is no entry {which!r}; see: tui-trainer queue")
    return named[-1]


def replaced(entries: Iterable[Entry], changed: Entry) -> list[Entry]:
    return [changed if entry.id == changed.id else entry for entry in entries]


def cancelled(entry: Entry, now: float) -> Entry:
    return replace(entry, state="cancelled", over=now, ending=False)


def moved(entries: Sequence[Entry], entry: Entry, to: int) -> list[Entry]:
    """With an entry that waits at another position among those that wait; the others keep their order."""
    queued = [item for item in waiting(entries) if item.id != entry.id]
    queued.insert(min(max(to, 1), len(queued) + 1) - 1, entry)
    rest = iter(queued)
    return [next(rest) if item.state == "waiting" else item for item in entries]
