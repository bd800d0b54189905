"""What data are called where others read it: by a name of the Hugging Face hub, or by no more of a path than its end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

HUB = "hf"
"""The source whose names are the hub's, or paths of this machine."""
_NAME = re.compile(r"([\w-][\w.-]*(?:/[\w-][\w.-]*)?)(?::([^/\\:@]+))?(?:@([\w./-]+))?")


class OnHub(NamedTuple):
    """``NAME:CONFIGURATION@REVISION``, of which the latter two may be empty."""

    name: str
    configuration: str
    revision: str


def on_hub(source: str) -> OnHub | None:
    """What a ``data.source`` is on the hub; None where it is a path, and for all other sources."""
    kind, _, name = source.partition(":")
    found = _NAME.fullmatch(name) if kind == HUB else None
    if found is None or any(Path(each).exists() for each in (name, found[1])):
        return None
    return OnHub(found[1], found[2] or "", found[3] or "")


def is_path(source: str) -> bool:
    """Whether what follows its colon lies on a machine, this one or another."""
    kind, _, name = source.partition(":")
    return kind == HUB and bool(name) and on_hub(source) is None


def shared_source(source: str) -> str:
    """A ``data.source`` without the folders of the machine that it was on, which say nothing elsewhere and may say too much:
    ``hf:/home/me/cats`` is ``hf:./cats``, which no name of the hub looks like."""
    if not is_path(source):
        return source
    end = re.split(r"[/\\]", source.rstrip("/\\"))[-1].removeprefix(f"{HUB}:")
    return f"{HUB}:./{end}"
