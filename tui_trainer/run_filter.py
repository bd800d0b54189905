"""Which runs of a list are meant: ``fast acc>0.9 !paused #tag recipe:seed``. All words must hold of a run; ``!`` turns one
round. A plain word is looked for in the run's name, recipe, state and tags. Nothing here knows a run or a screen."""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias

from core.errors import UserError

Kind: TypeAlias = Literal["share", "count", "bytes", "seconds", "number"]
TEXTS = ("name", "recipe", "state", "model", "data", "device")
SEARCHED = ("name", "recipe", "state")
"""Where a plain word is looked for, beside the tags."""
NUMBERS: dict[str, Kind] = {
    "acc": "share", "val": "share", "test": "share", "loss": "number", "epoch": "count", "params": "count", "size": "bytes",
    "age": "seconds", "active": "seconds", "length": "seconds", "left": "seconds",
}  # fmt: skip
"""What can be compared. ``acc`` and ``loss`` are the best of the held-out split, ``val`` and ``test`` the latest accuracies,
``age`` is since the run was begun, ``active`` since its last word, ``length`` how long it trained, ``left`` until its end."""
UNITS: dict[Kind, dict[str, float]] = {
    "share": {"": 1, "%": 0.01},
    "number": {"": 1},
    "count": {"": 1, "k": 1e3, "m": 1e6, "g": 1e9},
    "bytes": {
        "": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "tb": 1e12,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    },
    "seconds": {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800},
}  # fmt: skip
EXAMPLES: dict[Kind, str] = {
    "share": "0.9 or 90%",
    "number": "0.5",
    "count": "20 or 4.2M",
    "bytes": "500MB",
    "seconds": "10m, 2h or 3d",
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
    "=": operator.eq,
}  # fmt: skip
FORM = re.compile(r"([A-Za-z_]*)(>=|<=|==|!=|>|<|=|:)(.*)", re.DOTALL)
FIGURE = re.compile(r"(-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([A-Za-z%]*)")


class Facts(NamedTuple):
    """What a filter can ask of a run; what is not known of it is left out."""

    texts: Mapping[str, str]
    """By the names in TEXTS."""
    numbers: Mapping[str, float]
    """By the names in NUMBERS."""
    tags: tuple[str, ...] = ()


Test: TypeAlias = Callable[[Facts], bool]


class Filter(NamedTuple):
    tests: tuple[Test, ...] = ()
    error: str = ""
    """What is wrong with the first word that cannot be read, which is then left out."""

    def matches(self, facts: Facts) -> bool:
        return all(test(facts) for test in self.tests)


def read(text: str) -> Filter:
    """Whatever the text: a half-typed one keeps what can be read of it."""
    tests, errors = list[Test](), list[str]()
    for word in text.split():
        try:
            tests.append(_test(word))
        except UserError as error:
            errors.append(str(error))
    return Filter(tuple(tests), errors[0] if errors else "")


def parse(text: str) -> Filter:
    """Raises UserError where a word of it cannot be read."""
    found = read(text)
    if found.error:
        raise UserError(f"--filter: {found.error}")
    return found


def _test(word: str) -> Test:
    if word.startswith("!"):
        meant = word.lstrip("!")
        if not meant:
            raise UserError("expected a word after '!', as in !paused")
        other, turned = _test(meant), (len(word) - len(meant)) % 2 == 1
        return lambda facts: other(facts) is not turned
    if word.startswith("#"):
        return _tagged(word[1:].casefold())
    if match := FORM.fullmatch(word):
        return _field(*match.groups())
    sought = word.casefold()
    return lambda facts: any(sought in text.casefold() for text in (*map(_of(facts.texts), SEARCHED), *facts.tags))


def _of(texts: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: texts.get(name, "")


def _tagged(tag: str) -> Test:
    if not tag:
        raise UserError("expected a tag after '#', as in #baseline")
    return lambda facts: any(tag == own.casefold() for own in facts.tags)


def _field(name: str, sign: str, value: str) -> Test:
    name = name.lower()
    if name in NUMBERS:
        return _compared(name, sign, value)
    if name in (*TEXTS, "tag"):
        return _tagged(value.casefold()) if name == "tag" else _text(name, sign, value.casefold())
    close = difflib.get_close_matches(name, (*NUMBERS, *TEXTS), n=1)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    raise UserError(f"'{name}' cannot be compared{hint}; {', '.join(NUMBERS)} can, and {', '.join(TEXTS)} by ':'")


def _text(name: str, sign: str, value: str) -> Test:
    if sign not in (":", "=", "==", "!="):
        raise UserError(f"{name} is a text: write {name}:WORD, or {name}=WORD for just that word")
    if not value:
        raise UserError(f"expected a word after {name}{sign}")
    if sign == ":":
        return lambda facts: value in facts.texts.get(name, "").casefold()
    return lambda facts: (value == facts.texts.get(name, "").casefold()) is (sign != "!=")


def _compared(name: str, sign: str, value: str) -> Test:
    if sign == ":":
        raise UserError(f"{name} is a figure: compare it by > >= < <= = or !=, as in {name}>{_example(name)}")
    compare, bound = COMPARISONS[sign], _figure(name, value)

    def test(facts: Facts) -> bool:
        known = facts.numbers.get(name, math.nan)
        return not math.isnan(known) and compare(known, bound)

    return test


def _figure(name: str, text: str) -> float:
    kind = NUMBERS[name]
    match = FIGURE.fullmatch(text)
    scale = UNITS[kind].get(match.group(2).lower()) if match else None
    if match is None or scale is None:
        raise UserError(f"{name}: expected {EXAMPLES[kind]}, not '{text}'" if text else f"{name}: expected {EXAMPLES[kind]}")
    value = float(match.group(1)) * scale
    if kind == "share" and not 0 <= value <= 1:
        raise UserError(f"{name}: accuracies go from 0 to 1, or to 100%, and not to {text}")
    return value


def _example(name: str) -> str:
    return EXAMPLES[NUMBERS[name]].partition(" or ")[0].partition(",")[0]
