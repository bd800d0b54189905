"""Which runs may run code of their user's own (``model.name = "python:..."``): those in which this user has named it.

A run folder can come from anywhere, and so can a checkpoint. ``code.json`` beside them says in which folder the code lies,
under a seal that no other user can make and that holds for one run and one ``[model]``. It is written when the user begins a
run, or goes on with one and names the model again; whatever else reads a run's recipe runs none of it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from core import models
from core.errors import UNREADABLE, UserError
from core.files import read_plain, write_whole
from core.run import seal
from core.run.folder import RunFile, RunFolder

NAME = "code.json"
LARGEST = 1 << 16
"""Bytes."""


class Permission(msgspec.Struct, frozen=True):
    folder: str
    """Where the code lies, beside what is installed."""
    seal: str


def permit(run: RunFolder, folder: Path) -> None:
    """The user has named the run's model, whose code lies in that folder. Raises UserError where that cannot be noted."""
    place = str(folder.absolute())
    try:
        mark = seal.seal(*_sealed(run.read(), place))
        write_whole(run.path / NAME, msgspec.json.encode(Permission(place, mark.hex())) + b"\n")
    except OSError as error:
        raise UserError(f"{error.filename or run.path / NAME}: cannot be written: {error.strerror}; mend that first") from None


def permitted(run: RunFolder) -> Path | None:
    """The folder of the code that a run may run; None where there is none, or where it was not this user who named it."""
    try:
        described = run.read()
        given = msgspec.json.decode(read_plain(run.path / NAME, LARGEST), type=Permission)
        mark = bytes.fromhex(given.seal)
    except (OSError, UserError, ValueError, *UNREADABLE):
        return None
    return Path(given.folder) if seal.holds(mark, *_sealed(described, given.folder)) else None


def named_again(run: RunFolder, name: str, folder: Path) -> None:
    """``--model NAME`` on a run that is there already. Raises UserError unless its model is code of that very name."""
    described = run.read()
    known = _model(described).get("name")
    if known != name or not models.is_code(_model(described)):
        raise UserError(f"--model {name}: the model of this run is {known}, and a resume cannot change it; leave it out")
    permit(run, folder)


def _sealed(run: RunFile, folder: str) -> tuple[bytes, ...]:
    return b"code", run.id.encode(), folder.encode(), msgspec.json.encode(_model(run), order="deterministic")


def _model(run: RunFile) -> dict[str, object]:
    model = run.recipe.get("model")
    return model if isinstance(model, dict) else {}
