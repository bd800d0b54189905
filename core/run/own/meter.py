"""What a program logs from window to window, and the means of it. Logging waits for no device; ``close`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, SupportsFloat, TypeAlias

from core.errors import UserError

Loggable: TypeAlias = SupportsFloat
"""A float, an int, a scalar of numpy, a tensor of one element on any device."""
ALIASES = {"lr": "learning_rate", "acc": "accuracy", "grad_norm": "gradient_norm"}
"""Names under which a loop has what the console draws under another one."""
GROUPS = ("train.", "val.", "test.", "system.")
LATEST = frozenset({"train.learning_rate"})
"""Told as they are, not as a mean."""
MOST_KEPT = 1024
"""Values of one name; then they are summed, so that a log without an end takes no memory without one."""


class Total(NamedTuple):
    added: float = 0.0
    number: int = 0
    last: float = 0.0

    @property
    def mean(self) -> float:
        return self.added / self.number

    def plus(self, other: Total) -> Total:
        return Total(self.added + other.added, self.number + other.number, other.last)


class Meter:
    """``touched`` until a step is over: whether anything was logged in it."""

    def __init__(self) -> None:
        self.touched = False
        self._kept: dict[str, list[Any]] = {}
        self._totals: dict[str, Total] = {}

    def log(self, values: Mapping[str, Loggable]) -> None:
        """Called every step, so that each line here counts."""
        self.touched = True
        for name, value in values.items():
            try:
                kept = self._kept[name]
            except KeyError:
                kept = self._kept[name] = []
            kept.append(value if type(value) is float else _lasting(name, value))
            if len(kept) >= MOST_KEPT:
                self._sum_up()

    def close(self) -> dict[str, Total]:
        """What was logged since the last time, by the names that the console knows."""
        self._sum_up()
        found, self._totals = self._totals, {}
        return found

    def _sum_up(self) -> None:
        for name, values in self._kept.items():
            if values:
                known = told_name(name)
                self._totals[known] = self._totals.get(known, Total()).plus(_total(values))
                values.clear()


def _total(values: Sequence[Any]) -> Total:
    """Of one name's; some of them may be tensors."""
    numbers = [value for value in values if type(value) is float]
    total = Total(sum(numbers), len(numbers), numbers[-1] if numbers else 0.0)
    if len(numbers) == len(values):
        return total
    from core.training.scalars import sums  # torch is there already: somebody logged a tensor

    tensors = _unchanged([value for value in values if type(value) is not float])
    added, last = sums([tensors, tensors[-1:]])
    return total.plus(Total(added, len(tensors), last))


def told_name(name: str) -> str:
    """``loss`` is ``train.loss``; a name with its group stays as it is."""
    return name if name.startswith(GROUPS) else f"train.{ALIASES.get(name, name)}"


def _lasting(name: str, value: Any) -> Any:
    """A float; or a tensor of a device that would have to be waited for, without its graph, and with the number of changes made
    to it in place."""
    at_hand = getattr(value, "is_cpu", None)
    if at_hand is False:
        if value.numel() != 1:
            raise _wrong(name, value)
        return value.detach(), _version(value)
    try:
        return float(value.item() if at_hand else value)
    except (TypeError, ValueError, RuntimeError):
        raise _wrong(name, value) from None


def _wrong(name: str, value: Any) -> UserError:
    shape = getattr(value, "shape", None)
    what = f"one of shape {tuple(shape)}" if shape else f"a {type(value).__name__}"
    return UserError(f"log({name}=...): expected one number, and {what} was given")


def _unchanged(kept: Sequence[tuple[Any, int]]) -> list[Any]:
    """The tensors whose value is still that which was logged: a running sum, logged again and again, is one tensor. The last
    one counts in any case."""
    return [*(tensor for tensor, version in kept[:-1] if _version(tensor) == version), kept[-1][0]]


def _version(tensor: Any) -> int:
    try:
        return int(tensor._version)
    except RuntimeError:  # one of inference mode, which keeps no count
        return 0
