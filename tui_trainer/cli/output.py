"""What a command makes, into a file or to the standard output."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core import files
from core.errors import UserError
from core.files import create
from tui_trainer.cli.say import say
from tui_trainer.stream import writing

STANDARD = Path("-")


def deliver(path: Path, data: bytes, force: bool) -> None:
    """See :func:`delivered`."""
    with delivered(path, force) as file:
        file.write(data)


@contextmanager
def delivered(path: Path, force: bool) -> Iterator[BinaryIO]:
    """To be written to: ``-`` is the standard output, a file is there whole or not at all, and its name is said. Raises
    UserError, also where something is there already that was not to be written over."""
    if path == STANDARD:
        with writing():
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    check_free(path, force)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with create(temporary) as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}; choose another file with -o") from None
    finally:
        temporary.unlink(missing_ok=True)
    say(str(path))


def check_free(path: Path, force: bool) -> None:
    """See :func:`core.files.check_free`."""
    if path != STANDARD:
        files.check_free(path, force, "choose another file with -o, or write over it with --force")
