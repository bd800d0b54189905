"""``--require 'test.accuracy>=0.9'``: a bound that a metric must keep at the end of a run."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from core.errors import UserError
from core.view.state import State

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
FORM = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(>=|<=|==|>|<)\s*(\S+)\s*")
MEASURED = tuple(f"{split}.{what}" for split in ("train", "val", "test") for what in ("loss", "accuracy"))
WITH_TTA = ("val.tta_accuracy", "test.tta_accuracy")
BALANCED = ("val.balanced_accuracy", "test.balanced_accuracy")
"""Where a run does not tell it, each class had as many images as another, and it is the accuracy."""
KNOWN = (
    *MEASURED,
    *BALANCED,
    *WITH_TTA,
    *(f"best.{name}" for name in (*MEASURED, *BALANCED) if not name.startswith("train.")),
    "train.learning_rate",
    "system.images_per_second",
)


class Requirement(NamedTuple):
    metric: str
    comparison: str
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.bound:g}"


def parse(texts: Iterable[str]) -> list[Requirement]:
    """Raises UserError for one that cannot be read or that names an unknown metric."""
    return [_parsed(text) for text in texts]


def check(requirements: Iterable[Requirement], monitor: str) -> None:
    """Raises UserError for a ``best.*`` that a run never has: only the metric that it watches has a best value."""
    for requirement in requirements:
        if requirement.metric.startswith("best.") and requirement.metric != f"best.{monitor}":
            expected = f"watches {monitor}; expected best.{monitor}" if monitor else "watches no split; expected test.*"
            raise UserError(f"--require '{requirement}': this run {expected}")


def unmet(requirements: Iterable[Requirement], state: State) -> list[str]:
    """In words, those that do not hold; a metric that was never measured holds nothing."""
    return [words for requirement in requirements if (words := _unmet(requirement, state))]


def _parsed(text: str) -> Requirement:
    match = FORM.fullmatch(text)
    if not match:
        raise UserError(f"--require {text!r}: expected METRIC, one of >= <= > < ==, and a number, as in 'test.accuracy>=0.9'")
    metric, comparison, number = match.groups()
    if metric not in KNOWN:
        close = difflib.get_close_matches(metric, KNOWN, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise UserError(f"--require {text!r}: metric '{metric}' is not known{hint}; known are {', '.join(KNOWN)}")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if math.isnan(bound):
        raise UserError(f"--require {text!r}: {number!r} is not a number (accuracies go from 0 to 1)")
    if metric.endswith("accuracy") and not 0 <= bound <= 1:
        raise UserError(f"--require {text!r}: accuracies go from 0 to 1 (0.9 is 90 per cent)")
    return Requirement(metric, comparison, bound)


def _unmet(requirement: Requirement, state: State) -> str:
    value = state.metrics.get(requirement.metric)
    if value is None and requirement.metric in BALANCED:
        value = state.metrics.get(requirement.metric.replace("balanced_", ""))
    if value is None:
        return f"required {requirement}, but {requirement.metric} was not measured"
    if COMPARISONS[requirement.comparison](value, requirement.bound):
        return ""
    return f"required {requirement}, but it is {value:g}"
