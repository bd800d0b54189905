"""What a sweep searches: for each key a range or a choice, written as the value of ``--set key=...``.

    log:1e-4..1e-1    between the two, evenly along a logarithmic axis
    0.0..0.5          between the two
    0.1..0.5/0.1      in steps
    1..10             whole numbers, where the key takes nothing else
    adam|sgd|muon     one of these

Anything else is one value, as in ``train``.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from core import recipe as recipes
from core.errors import UserError
from core.recipe import Recipe

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
RANGE = re.compile(rf"(log:)?({NUMBER})\.\.({NUMBER})(?:/({NUMBER}))?")
MEANT_AS_RANGE = re.compile(rf"log:.*|{NUMBER}\.\..*", re.DOTALL)
PART = re.compile(r"""(?:"[^"]*"|'[^']*'|[^|"'])+""")
WHOLE = re.compile(r"[+-]?[0-9]+")
LARGEST_WHOLE = 1 << 53
FORMS = "log:1e-4..1e-1, 0.0..0.5, 0.1..0.5/0.1, 1..10 or adam|sgd"
UNSEARCHABLE = {
    "name": "it trains nothing",
    "description": "it trains nothing",
    "data.source": "its trials would be measured on other images",
    "data.path": "its trials would be measured on other images",
    "data.limit": "its trials would be measured on other images",
    "data.validation": "its trials would be measured on other images",
    "early_stopping.split": "no trial may choose by the test split",
}
"""Keys that can be set and not searched, and why."""
Value: TypeAlias = int | float | str
"""What Optuna is told of a key: a number, or the text of one of several."""


class Range(msgspec.Struct, frozen=True, tag="range", tag_field="kind"):
    low: float
    high: float
    log: bool = False
    step: float = 0.0
    """0 for any number between the two."""
    whole: bool = False

    def ends(self) -> tuple[str, ...]:
        return self.text(self.low), self.text(self.high)

    @property
    def size(self) -> int:
        """How many values there are; 0 where they cannot be counted."""
        step = self._spacing
        return math.floor((self.high - self.low) / step + 1e-9) + 1 if step else 0

    def point(self, place: int) -> Value:
        return self._number(self.low + place * self._spacing)

    @property
    def _spacing(self) -> float:
        return self.step or (1.0 if self.whole and not self.log else 0.0)

    def text(self, value: Value) -> str:
        """As ``--set`` takes it."""
        return repr(self._number(float(value)))

    def _number(self, value: float) -> float:
        """Without what steps of 0.1 leave at the end of a binary number."""
        return round(value) if self.whole else float(f"{value:.12g}") if self.step else value

    def __str__(self) -> str:
        low, high = self.ends()
        step = f" in steps of {self.text(self.step)}" if self.step else ""
        return f"{low} to {high}{step}{', logarithmic' if self.log else ''}"


class Choice(msgspec.Struct, frozen=True, tag="choice", tag_field="kind"):
    values: tuple[str, ...]

    def ends(self) -> tuple[str, ...]:
        return self.values

    @property
    def size(self) -> int:
        return len(self.values)

    def point(self, place: int) -> Value:
        return self.values[place]

    def text(self, value: Value) -> str:
        return str(value)

    def __str__(self) -> str:
        return " | ".join(self.values)


Dimension: TypeAlias = Range | Choice
Space: TypeAlias = dict[str, Dimension]


def divided(settings: Iterable[str]) -> tuple[list[str], Space]:
    """What is set to one value, and what is to be searched. Raises UserError for a range or a choice that is none."""
    fixed, space = dict[str, str](), Space()
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        fixed.pop(key, None)
        space.pop(key, None)  # the last word counts
        try:
            dimension = read(text.strip()) if equals else None
        except UserError as error:
            raise UserError(f"--set {setting!r}: {error}") from None
        if dimension is None:
            fixed[key] = setting
        else:
            space[key] = dimension
    return list(fixed.values()), space


def read(text: str) -> Dimension | None:
    """None for a plain value. Raises UserError."""
    if match := RANGE.fullmatch(text):
        return _range(*match.groups())
    if MEANT_AS_RANGE.fullmatch(text):
        raise UserError(f"expected a range as in {FORMS}")
    if "|" not in text or _is_toml(text):
        return None
    values = tuple(part.strip() for part in PART.findall(text))
    if len(values) < 2 or not all(values) or len(values) != text.count("|") + 1 - _quoted_bars(text):
        raise UserError("expected values with one '|' between each two, as in adam|sgd|muon")
    if len(set(values)) < len(values):
        raise UserError("the same value stands there twice")
    return Choice(values)


def _range(log: str | None, first: str, last: str, by: str | None) -> Range:
    low, high, step = float(first), float(last), float(by or 0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UserError(f"expected a smaller number before '..' than after it, not {first} and {last}")
    if log and low <= 0:
        raise UserError(f"a logarithmic range begins above 0, and this one at {first}")
    if log and by:
        raise UserError("a logarithmic range has no steps; leave out 'log:' or what follows the '/'")
    if by and not 0 < step <= high - low:
        raise UserError(f"expected a step above 0 and no larger than the range, not {by}")
    whole = all(WHOLE.fullmatch(number) for number in (first, last, by or "1"))
    if whole and max(abs(low), abs(high)) > LARGEST_WHOLE:
        raise UserError(f"whole numbers are told apart up to {LARGEST_WHOLE} only")
    return Range(low, high, bool(log), step, whole)


def _quoted_bars(text: str) -> int:
    return sum(part.count("|") for part in PART.findall(text))


def _is_toml(text: str) -> bool:
    """A quoted text may have a '|' in it."""
    try:
        tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def checked(base: Recipe, space: Mapping[str, Dimension]) -> Space:
    """The space with whole numbers where the recipe takes only these. Raises UserError unless each end of a range and each
    choice makes a recipe of it, and where there is nothing to search."""
    if not space:
        raise UserError(f"nothing to search: give --set a range or a choice, as in --set optimizer.lr={FORMS.split(',')[0]}")
    found = Space()
    for key, dimension in space.items():
        if why := UNSEARCHABLE.get(key):
            raise UserError(f"--set {key}: {why}; set it to one value")
        if isinstance(dimension, Range) and dimension.whole and not _only_whole(base, key, dimension):
            dimension = msgspec.structs.replace(dimension, whole=False)
        for text in dimension.ends():
            recipes.changed(base, [f"{key}={text}"])
        found[key] = dimension
    return found


def _only_whole(base: Recipe, key: str, dimension: Range) -> bool:
    """Which type a model's keys have only its own file knows, so that these are taken as they are written."""
    if key.startswith("model."):
        return True
    try:
        recipes.changed(base, [f"{key}={dimension.low + 0.5}"])
    except UserError:
        return True
    return False


def overrides(space: Mapping[str, Dimension], values: Mapping[str, Value]) -> list[str]:
    """``key=value`` for each key that is searched, as ``--set`` takes it."""
    return [f"{key}={dimension.text(values[key])}" for key, dimension in space.items() if key in values]
