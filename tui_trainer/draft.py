"""A new run as it is typed into the form: text, checked field by field, and the recipe that it makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core import data, recipe
from core.errors import UserError
from core.models import is_code
from core.recipe import Recipe
from core.run.code import permitted
from core.run.folder import RunFolder, check_name, free_name
from core.run.program import recipe_of
from core.sections import Data
from tui_trainer import recipe_keys

AS_IN = "(as in that run)"
"""In the place of a recipe's name: that of the run which is begun again."""


@dataclass(frozen=True)
class Again:
    """A run that is begun again, with changes: its recipe as one of the package and what makes it this one, where it can be."""

    made_of: str
    keys: dict[str, str]
    recipe: Recipe
    name: str
    """Proposed; no run has it yet."""
    code: Path | None = None
    """Where the code lies that is its model."""

    @classmethod
    def of(cls, run: RunFolder) -> Again:
        """Raises UserError where the run cannot be read."""
        own, code = recipe.from_table(recipe_of(run), f"run '{run.name}'"), permitted(run)
        if is_code(own.model) and code is None:
            raise UserError(
                f"run '{run.name}': its model {own.model['name']} is code that you have not named; in a new run you can"
            )
        keys = recipe_keys.differences(recipe.load(own.name), own) if own.name in recipe.names() else None
        made_of = AS_IN if keys is None else own.name
        return cls(made_of, keys or {}, own, free_name(run.name, run.path.parent), code)

    def fields(self) -> dict[str, str]:
        """What stands in the fields that are typed in; a key without a field of its own is among the others."""
        others = " ".join(f"{key}={value}" for key, value in self.keys.items() if key not in OWN_FIELD)
        own = {"path": self.recipe.data.path or "", "name": self.name, "others": others}
        return {**own, **{key: self.keys.get(key, "") for key in ("epochs", "seed")}}


OWN_FIELD = ("epochs", "seed", "device", "data.source", "data.path")


@dataclass(frozen=True)
class Draft:
    """What stands in the fields; an empty text leaves it to the recipe."""

    recipe: str
    source: str = ""
    path: str = ""
    epochs: str = ""
    device: str = ""
    seed: str = ""
    name: str = ""
    others: str = ""
    """``key.path=value`` of any other keys, with blanks between them."""
    again: Again | None = None

    def build(self) -> Recipe:
        """The recipe with what was typed. Raises UserError in one line."""
        base = self._load(*_others(self.others), *_override("epochs", self.epochs), *_override("seed", self.seed))
        return msgspec.structs.replace(base, data=self._data(base.data), device=self.device or base.device)

    def _data(self, base: Data) -> Data:
        """A path of the kind that the source takes, or anything that ``--data`` does where it takes none."""
        chosen, path = msgspec.structs.replace(base, source=self.source or base.source), self.path.strip()
        named = ":" in path and path.partition(":")[0] in data.names()
        if path and (named or not data.takes_path(chosen)):
            return data.from_text(path, chosen)
        return msgspec.structs.replace(chosen, path=path or base.path)

    def errors(self, runs: Path) -> dict[str, str]:
        """What is wrong, by field, each in one line; empty when the run may start."""
        checks: dict[str, Callable[[], object]] = {
            "recipe": self._load,
            "others": lambda: self._load(*_others(self.others)),
            "epochs": lambda: self._load(*_override("epochs", self.epochs)),
            "seed": lambda: self._load(*_override("seed", self.seed)),
            "name": lambda: _check_free(self.name, runs),
        }
        found: dict[str, str] = {}
        for field, check in checks.items():
            try:
                check()
            except UserError as error:
                found[field] = _without_place(
                    str(error), f"recipe '{self.own_name}': ", f"{field}: ", "--set ", f"--name {self.name!r}: "
                )
                if field == "recipe":
                    break  # the other checks would only say the same again
        return found

    @property
    def code(self) -> Path:
        """Where code of the user's own lies: what they type as the model, or had typed for the run that is begun again."""
        return self.again.code if self.again and self.again.code else Path.cwd()

    @property
    def own_name(self) -> str:
        return self.again.recipe.name if self.again and self.recipe == AS_IN else self.recipe

    def _load(self, *overrides: str) -> Recipe:
        if self.again and self.recipe == AS_IN:
            return recipe.changed(self.again.recipe, overrides)
        return recipe.load(self.recipe, overrides)


def _others(text: str) -> list[str]:
    words = recipe_keys.split(text)
    if own := next((word for word in words if word.partition("=")[0] in OWN_FIELD), ""):
        raise UserError(f"{own.partition('=')[0]} has a field of its own")
    return words


def _override(key: str, text: str) -> list[str]:
    if text and not re.fullmatch(r"[+-]?[0-9]+", text):
        raise UserError(f"{key}: expected a whole number")
    return [f"{key}={int(text)}"] if text else []


def _check_free(name: str, runs: Path) -> None:
    if name and (runs / check_name(name)).exists():
        raise UserError(f"'{name}' exists already")


def _without_place(message: str, *places: str) -> str:
    """The message without what the field says already."""
    for place in places:
        message = message.removeprefix(place)
    return message
