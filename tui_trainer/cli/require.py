"""``--require 'test.accuracy>=0.9'``: a bound that a metric, or one class's accuracy, must keep at the end."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.errors import UserError
from core.events import PREFIX
from core.view.state import State

if TYPE_CHECKING:
    from core.recipe import Recipe

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
FORM = re.compile(r"\s*(\S.*[^\s<>=]|[^\s<>=])\s*(>=|<=|==|>|<)\s*([^\s<>=]+)\s*", re.DOTALL)
"""A class may be called anything, so that the last comparison counts."""
OF_CLASS = re.compile(r"((?:val|test)\.accuracy)\.(.+)", re.DOTALL)
TRAINED = (
    "train.loss", "train.accuracy", "train.learning_rate", "train.gradient_norm", "train.skipped_steps",
    "system.images_per_second",
)  # fmt: skip
BALANCED = "balanced_accuracy"
SHOWN = 20
"""Names that an error lists."""


class Requirement(NamedTuple):
    metric: str
    comparison: str
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.bound:.15g}"


class Verdict(NamedTuple):
    """``why`` it does not hold, in words; empty where it does. ``value`` is None where nothing was measured."""

    requirement: Requirement
    value: float | None
    why: str

    @property
    def measured(self) -> str:
        """With as many digits as tell it from the bound: 0.89999999 is not 0.9."""
        if self.value is None:
            return "-"
        short = f"{self.value:g}"
        return short if self.value == self.requirement.bound or float(short) != self.requirement.bound else repr(self.value)

    @property
    def holds(self) -> bool:
        return not self.why


def parse(texts: Iterable[str]) -> list[Requirement]:
    """Raises UserError for one that cannot be read."""
    return [_parsed(text) for text in texts]


def check(requirements: Iterable[Requirement], recipe: Recipe) -> None:
    """Raises UserError for what no training of this recipe tells, before one is started. Its classes are known to the data
    alone."""
    for requirement in requirements:
        _check_best(requirement, recipe.monitor)
        if "tta_" in requirement.metric and recipe.evaluation.tta == "none":
            raise UserError(f"--require '{requirement}': this run has no TTA; set evaluation.tta, or require test.accuracy")
        if not OF_CLASS.fullmatch(requirement.metric):
            _check_name(requirement, told_of(recipe))
        _check_bound(requirement)


def check_classes(requirements: Iterable[Requirement], classes: Sequence[str]) -> None:
    """Raises UserError for a class that there is not."""
    for requirement in requirements:
        found = OF_CLASS.fullmatch(requirement.metric)
        if found and found[2] not in classes:
            raise UserError(f"--require '{requirement}': {_unknown(found[2], 'class', classes)}")


def check_data(requirements: Sequence[Requirement], state: State) -> None:
    """Raises UserError for what a training on these data will not measure; once the data have told what they are."""
    if not state.classes:
        return
    check_classes(requirements, state.classes)
    for requirement in requirements:
        if not state.validation_images and requirement.metric.removeprefix("best.").startswith("val."):
            raise UserError(f"--require '{requirement}': no images are held out; expected test.*, or set data.validation")


def check_evaluated(requirements: Iterable[Requirement], metrics: Sequence[str]) -> None:
    """Raises UserError for what a single pass over a split does not tell."""
    for requirement in requirements:
        if not OF_CLASS.fullmatch(requirement.metric) or not requirement.metric.startswith("test."):
            _check_name(requirement, (*metrics, "test.accuracy.CLASS"))
        _check_bound(requirement)


def told_of(recipe: Recipe) -> tuple[str, ...]:
    """The metrics of a training, where all is measured."""
    each = ("loss", "accuracy", BALANCED, *(["tta_accuracy"] if recipe.evaluation.tta != "none" else []))
    measured = tuple(f"{split}.{what}" for split in ("val", "test") for what in each)
    best = (f"best.{recipe.monitor}",) if recipe.monitor else ()
    return (*measured, *(f"{split}.accuracy.CLASS" for split in ("val", "test")), *best, *TRAINED)


def measured(state: State) -> dict[str, float]:
    """By name what a requirement can be held against: the latest of each metric, and each class as ``test.accuracy.CLASS``."""
    found = {
        f"{PREFIX.get(item.split, item.split)}.accuracy.{score.name}": score.accuracy
        for item in state.measurements.values()
        for score in item.classes
        if score.accuracy is not None
    }
    return with_balanced({**found, **state.metrics})


def with_balanced(metrics: Mapping[str, float]) -> dict[str, float]:
    """Where it is not told, each class had as many images as another, and it is the accuracy."""
    plain = {f"{split}.{BALANCED}": metrics[f"{split}.accuracy"] for split in PREFIX.values() if f"{split}.accuracy" in metrics}
    return {**plain, **metrics}


def judge(requirements: Iterable[Requirement], found: Mapping[str, float]) -> list[Verdict]:
    """A metric that was never measured holds nothing."""
    return [_judged(item, found) for item in requirements]


def _parsed(text: str) -> Requirement:
    match = FORM.fullmatch(text)
    if not match:
        raise UserError(f"--require {text!r}: expected METRIC, one of >= <= > < ==, and a number, as in 'test.accuracy>=0.9'")
    metric, comparison, number = match.groups()
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if math.isnan(bound):
        raise UserError(f"--require {text!r}: {number!r} is not a number (accuracies go from 0 to 1)")
    return Requirement(metric, comparison, bound)


def _check_best(requirement: Requirement, monitor: str) -> None:
    """Only the metric that a run watches has a best value."""
    if requirement.metric.startswith("best.") and requirement.metric != f"best.{monitor}":
        expected = f"watches {monitor}; expected best.{monitor}" if monitor else "watches no split; expected test.*"
        raise UserError(f"--require '{requirement}': this run {expected}")


def _check_name(requirement: Requirement, known: Sequence[str]) -> None:
    if requirement.metric not in known:
        raise UserError(f"--require '{requirement}': {_unknown(requirement.metric, 'metric', known)}")


def _check_bound(requirement: Requirement) -> None:
    of_accuracy = requirement.metric.endswith("accuracy") or OF_CLASS.fullmatch(requirement.metric)
    if of_accuracy and not 0 <= requirement.bound <= 1:
        raise UserError(f"--require '{requirement}': accuracies go from 0 to 1 (0.9 is 90 per cent)")


def _judged(requirement: Requirement, found: Mapping[str, float]) -> Verdict:
    verdict = Verdict(requirement, found.get(requirement.metric), "")
    if verdict.value is None:
        why = f"{requirement.metric} was not measured; {_listed(_in_short(found), 'measured')}"
    elif COMPARISONS[requirement.comparison](verdict.value, requirement.bound):
        return verdict
    else:
        why = f"it is {verdict.measured}"
    return verdict._replace(why=f"required {requirement}, but {why}")


def _in_short(found: Mapping[str, float]) -> list[str]:
    """Classes in one word a split."""
    return sorted({match[1] + ".CLASS" if (match := OF_CLASS.fullmatch(name)) else name for name in found})


def _unknown(name: str, kind: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    return f"{kind} '{name}' is not known{hint}; {_listed(known, 'known')}"


def _listed(names: Sequence[str], how: str) -> str:
    if not names:
        return f"nothing is {how}"
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{how} are {', '.join(names[:SHOWN])}{more}"
