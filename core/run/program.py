"""A run that its own program trains, in a loop of its own (:class:`core.run.own.Run`): it has no recipe, and no worker can go
on with it."""

from __future__ import annotations

from typing import Any

import msgspec

from core.errors import UserError
from core.run.folder import RunFolder


def way_on(name: str, program: str) -> str:
    """How such a run is gone on with."""
    return f"run {program} again, with Run(..., resume={name!r})"


def refuse(run: RunFolder) -> None:
    """Raises UserError where a worker is to go on with such a run."""
    if program := run.read().program:
        raise UserError(f"run '{run.name}' is trained by its own program: to go on, {way_on(run.name, program)}")


def recipe_of(run: RunFolder) -> dict[str, Any]:
    """A run's recipe as a table; raises UserError where there is none."""
    described = run.read()
    if described.program:
        raise UserError(f"run '{run.name}' is trained by its own program, {described.program}: it has no recipe")
    return described.recipe


def told(run: RunFolder) -> tuple[str, ...]:
    """What stands where the recipe of another run does: its program, and the settings that this has told; nothing for a run of
    a recipe. Raises UserError."""
    described = run.read()
    if not described.program:
        return ()
    settings = (f"{key} = {msgspec.json.encode(value).decode()}" for key, value in described.config.items())
    return (f"# trained by its own program: {described.program}", *settings)
