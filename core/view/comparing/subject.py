"""What is known of a run that is held against others."""

from __future__ import annotations

from typing import Any, NamedTuple

from core.errors import UserError
from core.recipe import from_table, to_table
from core.run.folder import RunFolder
from core.view.state import State

FEWEST, MOST = 2, 8
"""Runs that can be compared at once; more could not be told apart."""


class Subject(NamedTuple):
    name: str
    state: State
    recipe: dict[str, Any] | None = None
    """As the run was started; None where it cannot be read."""


def recipe_of(run: RunFolder) -> dict[str, Any] | None:
    """With every key that this version has, so that what an older one left out does not count as a difference."""
    try:
        described = run.read()
    except UserError:
        return None
    if described.program:
        return {"program": described.program, **described.config}
    table = described.recipe
    if described.origin:
        return table
    try:
        return to_table(from_table(table))
    except UserError:  # of another version, or of a model that is not here
        return table


def subject(run: RunFolder, state: State) -> Subject:
    return Subject(run.name, state, recipe_of(run))
