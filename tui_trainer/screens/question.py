"""What a dialog asks: a value, one entry of a list, or one of a few answers. The dialogs themselves (ask, pick, confirm) are
loaded by whoever opens one, which the first frame need not wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.view.plan import Plan
    from core.view.series import Point


class Planned(NamedTuple):
    """How a value's consequences are shown: ``past`` is what the rate was, ``after`` the plan with a (good) value."""

    past: tuple[Point, ...]
    now: Plan
    after: Callable[[str], Plan]


class Question(NamedTuple):
    """One value to type."""

    title: str
    hint: str
    """What is expected, in one line."""
    wrong: Callable[[str], str]
    """Why a value cannot be taken, in words; empty when it can."""
    value: str = ""
    """What is proposed."""
    planned: Planned | None = None
    kept: bool = False
    """Whether what is proposed is added to; else what is typed takes its place."""


class Entry(NamedTuple):
    """One thing to choose from a list."""

    id: str
    label: str
    detail: str = ""
    """What stands beside it, as it is now."""
    key: str = ""
    why_not: str = ""
    """Why it cannot be chosen now, in words; it is given back all the same, and whoever asked says so."""


class Choice(NamedTuple):
    """One of a few answers."""

    id: str
    key: str
    label: str
    destroys: bool = False
    """Whether something is lost with it; what does not is proposed."""


CANCEL = Choice("cancel", "escape", "Cancel")
QUIT = (Choice("detach", "d", "Detach: training goes on"), Choice("stop", "s", "Stop: save, then end"), CANCEL)
STOP = (
    Choice("stop", "s", "Stop now: save, then end"),
    Choice("after_epoch", "e", "Stop after this epoch"),
    Choice("discard", "d", "Discard: end without saving ..."),
    CANCEL,
)
DISCARD = (Choice("discard", "d", "Discard: end now, without saving", destroys=True), CANCEL)
REWIND = (Choice("rewind", "g", "Go back, and on from there", destroys=True), CANCEL)
STOP_SWEEP = (Choice("stop", "s", "Stop: its trial is saved, and goes on with the sweep"), CANCEL)
UNQUEUE = (Choice("cancel_queued", "y", "Take it out"), CANCEL)
DELETE = (Choice("delete", "y", "Delete", destroys=True), CANCEL)
