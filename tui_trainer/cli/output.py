"""What a command makes, into a file or to the standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.errors import UserError
from core.run.folder import write_whole
from tui_trainer.cli.say import say
from tui_trainer.stream import write_bytes

STANDARD = Path("-")


def deliver(path: Path, data: bytes, force: bool) -> None:
    """Whole or not at all; ``-`` is the standard output. Raises UserError, also where something is there already."""
    if path == STANDARD:
        write_bytes(sys.stdout.buffer, data)
        return
    check_free(path, force)
    try:
        write_whole(path, data)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}; choose another file with -o") from None
    say(str(path))


def check_free(path: Path, force: bool) -> None:
    """Before the work: only a plain file is ever written over, and only when that was asked for."""
    if path == STANDARD or not os.path.lexists(path):
        return
    if not path.is_file():
        raise UserError(f"{path}: not a plain file; choose another one with -o")
    if not force:
        raise UserError(f"{path}: exists already; choose another file with -o, or write over it with --force")
