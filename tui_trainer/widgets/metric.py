"""Scalars by what they are of: those of training and of the splits share a plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from core.events import PREFIX
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.widgets.axis import short

SPLITS = tuple(PREFIX.values())
MEASURED = ("loss", "accuracy")
"""Names of what is measured on a split wherever one is watched."""


class Metric(NamedTuple):
    """A scalar as a plot shows it. ``name`` is without its ``train.``, ``val.`` or ``test.``."""

    name: str
    title: str = ""
    factor: float = 1.0
    """Values are shown times this."""
    digits: int | None = None
    """Decimals of the legend's numbers."""
    exact: bool = False
    """It is set, not measured: there is nothing to smooth."""

    @property
    def heading(self) -> str:
        return self.title or printable(self.name.removeprefix("system.").replace("_", " "))

    @property
    def compared(self) -> bool:
        """Whether it is measured on a split as well."""
        return self.name in MEASURED

    def names(self, state: State) -> list[str]:
        """Full names of the run's scalars in this plot, that of training first; those too that are still to come."""
        trained = self.name if self.name in state.series or "." in self.name else f"train.{self.name}"
        expected = PREFIX[state.split] if self.compared and not state.unwatched else ""
        splits = [split for split in SPLITS if split == expected or f"{split}.{self.name}" in state.series]
        return [trained, *(f"{split}.{self.name}" for split in splits)]

    def written(self, value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return short(value)
        if self.digits is not None:
            return f"{value:.{self.digits}f}"
        return f"{value:.3g}" if self.exact else short(value)


KNOWN = (
    Metric("loss"),
    Metric("accuracy", "accuracy %", factor=100.0, digits=1),
    Metric("learning_rate", exact=True),
    Metric("gradient_norm"),
    Metric("system.images_per_second", "images/s", digits=0),
    Metric("system.steps_per_second", "steps/s", digits=0),
)
"""In the order in which they are shown; all others come after them, by name."""
ALWAYS = ("loss", "accuracy", "learning_rate", "system.images_per_second")
"""Names that every run has, so that their plots are there before it begins."""
FIRST = ("loss", "accuracy", "learning_rate")
"""Those on the overview."""


def metric(name: str) -> Metric:
    return next((item for item in KNOWN if item.name == name), Metric(name))


def metric_of(name: str) -> Metric:
    """By a scalar's full name."""
    return metric(_without_split(name))


def told(name: str, state: State) -> Metric:
    """What an overview shows in this place: what is meant for it, but of a run of others that never tells it another scalar."""
    there = [item.name for item in metrics(state.series, always=())]
    if not state.origin or name in there:
        return metric(name)
    absent, others = [item for item in FIRST if item not in there], [item for item in there if item not in FIRST]
    return metric(dict(zip(absent, others, strict=False)).get(name, name))


def metrics(names: Iterable[str], always: Iterable[str] = ALWAYS) -> list[Metric]:
    """Each once, of the full names of scalars, and those that are ``always`` there."""
    found = {*always, *(_without_split(name) for name in names)}
    others = sorted(name for name in found if not any(item.name == name for item in KNOWN))
    return [*(item for item in KNOWN if item.name in found), *map(Metric, others)]


def split_of(name: str) -> str:
    """``val`` or ``test``, empty for what is told in training."""
    first = name.partition(".")[0]
    return first if first in SPLITS else ""


def _without_split(name: str) -> str:
    first, _, rest = name.partition(".")
    return rest if first in ("train", *SPLITS) and rest and "." not in rest else name
