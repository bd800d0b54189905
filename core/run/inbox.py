"""``inbox/``: how a run is told something. One command is one file, written under another name and then renamed, so that
the trainer never sees half of one. File names begin with the time, so that they sort in the order of sending."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

import msgspec

from core import commands
from core.commands import AnyCommand, Command
from core.errors import UNREADABLE, UserError
from core.files import create, read_plain
from core.run import program
from core.run.folder import RunFolder, reference
from core.run.journal import finished

LARGEST = 64 << 10
"""Bytes; a bigger file is no command."""


def send(run: RunFolder, command: Command) -> str:
    """Put a command into a living run's inbox and return its id, a new one unless it has one: then it was sent to a mirror of
    the run. Raises UserError at once when nobody trains the run."""
    if not run.alive():
        program.refuse(run)
        end = finished(run.journal)
        more = f" --epochs {2 * end.epoch}" if end else ""
        raise UserError(f"run '{run.name}' has no living trainer; go on with it by: tui-trainer resume {reference(run)}{more}")
    stamped = msgspec.structs.replace(command, id=command.id or secrets.token_hex(6), time=time.time())
    name = f"{_place(run.inbox):020d}-{stamped.id}.json"
    temporary = run.inbox / f".{name}"
    try:
        with create(temporary) as file:
            file.write(commands.encode(stamped))
        temporary.rename(run.inbox / name)
    except OSError as error:
        raise UserError(f"{run.inbox}: cannot send the command: {error.strerror}") from None
    return stamped.id


def _place(inbox: Path) -> int:
    """Nanoseconds, yet behind all that waits: a clock that was set back meanwhile must not turn the order round."""
    places = (path.name.partition("-")[0] for path in waiting(inbox))
    return max(time.time_ns(), *(int(place) + 1 for place in places if place.isdecimal()), 0)


def waiting(inbox: Path) -> list[Path]:
    """Commands not yet taken, in the order of sending; none while the folder cannot be read. Cheap enough to call between two
    steps."""
    try:
        with os.scandir(inbox) as entries:
            names = [entry.name for entry in entries if _is_command(entry)]
    except OSError:
        return []
    return [inbox / name for name in sorted(names)]


def _is_command(entry: os.DirEntry[str]) -> bool:
    """A plain file: anything else (a folder, a link, a pipe that would block its reader) is left alone."""
    return entry.name.endswith(".json") and not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)


def read(path: Path) -> AnyCommand | str:
    """The command in a file, or in words why it is none."""
    try:
        return commands.decode(read_plain(path, LARGEST))
    except OSError as error:
        return f"not a command: {error.strerror}"
    except UNREADABLE as error:
        return f"not a command: {error}"
