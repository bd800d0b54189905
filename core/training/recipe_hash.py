"""What a recipe decides, as one hash: a resume with another one is another training."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec.structs import replace

from core.recipe import Recipe
from core.sections import SMALL

NEUTRAL = frozenset({"name", "description", "epochs", "device", "checkpoint", "pictures"})
"""Keys of a recipe that do not decide the result at a given step; the length may be amended."""


def recipe_hash(recipe: Recipe) -> str:
    """Of all that decides the result at a given step. What has its default is left out, so that a key which a later version
    adds, with a default that changes nothing, leaves the hash alone."""
    # Recipes of before had 32 where they now have no size; and what was found instead shows in the data's own fingerprint.
    size = None if recipe.data.size == SMALL else recipe.data.size
    recipe = replace(recipe, data=replace(recipe.data, size=size, color_mode="auto"))
    chosen = {key: value for key, value in _choices(recipe).items() if key not in NEUTRAL}
    return hashlib.sha256(msgspec.json.encode(chosen, order="deterministic")).hexdigest()


def _choices(value: Any) -> Any:
    """A Struct's fields that differ from their defaults, and its tag, as plain values; the same within lists."""
    if not isinstance(value, msgspec.Struct):
        return [_choices(item) for item in value] if isinstance(value, (list, tuple)) else value
    config = value.__struct_config__
    found = {config.tag_field: config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(value):
        given = getattr(value, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if given != default:
            found[field.encode_name] = _choices(given)
    return found
