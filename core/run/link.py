"""``link.json`` of a run folder that is a mirror: of which run elsewhere, and how the link to it stands. A run that is trained
here has none."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.errors import UNREADABLE, UserError
from core.files import read_plain, write_whole
from core.format import prepare
from core.remote.address import of_run

NAME = "link.json"
LARGEST = 256 << 10
"""Bytes."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a command never reached the run."""

    id: str
    command: str
    reason: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    """``ssh://user@host/path``."""
    away: float = 0.0
    """Since when there is no link, in Unix seconds of the far clock; 0 while there is one."""
    why: str = ""
    """Why there is none, in the words of ssh or of the far side."""
    shut: bool = False
    """Whether ssh was not let in, which it cannot ask for while a screen is there: it does not mend itself."""
    fetched: float = 1.0
    """How much of the journal has come (0 to 1)."""
    ahead: float = 0.0
    """Seconds that the far clock is ahead of this one."""
    refused: tuple[Refusal, ...] = ()


prepare(Link)


def read(folder: Path) -> Link | None:
    """None for a run of this machine, also where a copied one brought something along that is no link."""
    try:
        link = msgspec.json.decode(read_plain(folder / NAME, LARGEST), type=Link)
        of_run(link.address)
    except (OSError, UserError, *UNREADABLE):
        return None
    return link


def write(folder: Path, link: Link) -> None:
    """Raises OSError."""
    write_whole(folder / NAME, msgspec.json.encode(link))
