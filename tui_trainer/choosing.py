"""A recipe as people ask for it, at the command line and in Python: its name, and what shall be otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

if TYPE_CHECKING:
    from core.recipe import Overrides, Recipe


def choose(
    recipe: str | Path,
    changes: Overrides = (),
    data: str | None = None,
    model: str | None = None,
    weights: Path | None = None,
    **settings: Any,
) -> Recipe:
    """The recipe of that name or file, with other ``data`` (a source or a path), another ``model``, first ``weights`` (a file),
    ``changes`` as :func:`core.recipe.load` takes them, and ``settings``, top-level keys that have the last word unless they are
    None. Raises UserError."""
    from core import recipe as recipes

    given = [(key, value) for key, value in settings.items() if value is not None]
    if weights is not None:
        given.append(("finetune.weights", str(weights.absolute())))
    overrides = [
        *([("model", model)] if model else []),
        *(changes.items() if isinstance(changes, Mapping) else changes),
        *given,
    ]
    if data is None:
        return recipes.load(recipe, overrides)
    from core.data import from_text

    chosen = recipes.load(recipe)
    return recipes.changed(replace(chosen, data=from_text(data, chosen.data)), overrides)
