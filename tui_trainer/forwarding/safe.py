"""A journal may have been copied from anywhere: what of it goes to other tools is cut to what they all take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from core.events.base import Metrics
from core.flat import flat
from core.view.parts import number
from tui_trainer.escape import printable
from tui_trainer.trackers._base import Plain

LONGEST_NAME = 120
LONGEST_TEXT = 500
"""Characters of a value, a class or a reason."""
MOST_SETTINGS = 500
DEEPEST = 8
"""Tables within tables."""
LATEST = float(1 << 33)
"""Unix seconds: the year 2242. Later times are mistakes, which not every tool survives."""
ODD = re.compile(r"[^\w./ -]")


def name(text: str) -> str:
    """Of a scalar: parts of letters, digits, ``_.-`` and blanks, with slashes between, none of which leads out of a folder."""
    parts = [part.strip(" .") for part in ODD.sub("_", text[: 4 * LONGEST_NAME]).split("/")]
    return "/".join(filter(None, parts))[:LONGEST_NAME].rstrip(" ./") or "_"


def short(text: str) -> str:
    return printable(text[:LONGEST_TEXT])


def moment(time: float) -> float:
    return min(max(time, 0.0), LATEST)


def scalar(text: str) -> str:
    """``train.loss`` as ``train/loss``, by which these tools group."""
    return name(text[:LONGEST_NAME].replace(".", "/", 1))


def values(metrics: Metrics) -> dict[str, float]:
    return {scalar(key): number(value) for key, value in metrics.items()}


def settings(table: Mapping[str, Any]) -> dict[str, Plain]:
    """With dots between the parts of a key; lists are texts."""
    found = dict[str, Plain]()
    for path, value in flat(table, DEEPEST):
        if value is not None and len(found) < MOST_SETTINGS:
            found[".".join(map(name, path))[:LONGEST_NAME]] = _plain(value)
    return found


def _plain(value: Any) -> Plain:
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 1 << 53 else float(value)
    return short(value if isinstance(value, str) else msgspec.json.encode(value).decode())
