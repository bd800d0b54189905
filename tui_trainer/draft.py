"""A new run as it is typed into the form: text, checked field by field, and the recipe that it makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core import recipe
from core.errors import UserError
from core.recipe import Recipe
from core.run.folder import check_name


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

    def build(self) -> Recipe:
        """The recipe with what was typed. Raises UserError in one line."""
        base = recipe.load(self.recipe, [*_override("epochs", self.epochs), *_override("seed", self.seed)])
        data = msgspec.structs.replace(
            base.data, source=self.source or base.data.source, path=self.path.strip() or base.data.path
        )
        return msgspec.structs.replace(base, data=data, device=self.device or base.device)

    def errors(self, runs: Path) -> dict[str, str]:
        """What is wrong, by field, each in one line; empty when the run may start."""
        checks: dict[str, Callable[[], object]] = {
            "recipe": lambda: recipe.load(self.recipe),
            "epochs": lambda: recipe.load(self.recipe, _override("epochs", self.epochs)),
            "seed": lambda: recipe.load(self.recipe, _override("seed", self.seed)),
            "name": lambda: _check_free(self.name, runs),
        }
        found: dict[str, str] = {}
        for field, check in checks.items():
            try:
                check()
            except UserError as error:
                found[field] = _without_place(str(error), f"recipe '{self.recipe}': ", f"{field}: ", f"--name {self.name!r}: ")
                if field == "recipe":
                    break  # the other checks would only say the same again
        return found


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
