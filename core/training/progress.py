"""How far a training has come: everything, beside the tensors, that it needs to go on as if it had never stopped."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from core.events import Number
from core.recipe import Recipe
from core.sections import LARGEST_RATE, Count

Key: TypeAlias = Literal["learning_rate", "epochs", "early_stopping.enabled", "early_stopping.patience"]


class Amendment(msgspec.Struct, frozen=True):
    """A setting changed while the run was live; it holds from ``step`` on, and when that step ends an epoch, from before its
    measurement on or from after it, as ``validated`` epochs had been measured."""

    step: Count
    key: Key
    value: Annotated[float, Meta(ge=0, le=LARGEST_RATE)]
    validated: Count = 0
    attempt: Count = 0
    """Of a learning rate that a divergence has lowered: the number of the roll-back into its epoch, from 1."""

    @property
    def place(self) -> tuple[int, int]:
        return self.step, self.validated

    def leaves(self, earlier: Amendment) -> bool:
        """Whether an earlier amendment stands beside this one, and is not of the same setting at the same place."""
        return (earlier.key, earlier.place) != (self.key, self.place)


class Watch(msgspec.Struct):
    """Early stopping's memory. ``best`` is kept also while early stopping is off, since the best weights go by it."""

    best: Number = "nan"
    best_epoch: Count = 0
    best_step: Count = 0
    epochs_since: Count = 0
    stopped: bool = False


class Progress(msgspec.Struct, kw_only=True):
    """``step`` optimizer steps are done and the first ``validated`` epochs are measured. The sums are those of the epoch
    under way, kept in float64 so that a resumed epoch reports the very same means."""

    step: Count = 0
    validated: Count = 0
    amendments: list[Amendment] = []
    watch: Watch = msgspec.field(default_factory=Watch)
    loss_sum: float = 0.0
    correct: Count = 0
    images: Count = 0
    epoch_seconds: float = 0.0

    @property
    def place(self) -> tuple[int, int]:
        return self.step, self.validated

    def copy(self) -> Progress:
        return msgspec.convert(msgspec.to_builtins(self), Progress)


def epochs(recipe: Recipe, amendments: list[Amendment]) -> int:
    """The run's length in epochs as it stands."""
    return int(_latest("epochs", amendments, recipe.epochs))


def patience(recipe: Recipe, amendments: list[Amendment]) -> int:
    return int(_latest("early_stopping.patience", amendments, recipe.early_stopping.patience))


def stops_early(recipe: Recipe, amendments: list[Amendment]) -> bool:
    return bool(_latest("early_stopping.enabled", amendments, recipe.early_stopping.enabled))


def _latest(key: Key, amendments: list[Amendment], planned: float) -> float:
    return next((amendment.value for amendment in reversed(amendments) if amendment.key == key), planned)
