"""What other libraries call a metric, and what the console does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from core.run.own.meter import ALIASES

Group: TypeAlias = Literal["train", "validation", "test"]

PREFIXES: dict[str, Group] = {
    "train": "train", "val": "validation", "valid": "validation", "validation": "validation", "eval": "validation",
    "test": "test",
}  # fmt: skip
PREFIXED = re.compile(rf"({'|'.join(PREFIXES)})[_/.:-](.+)")


def known(name: str) -> tuple[Group, str]:
    """``val_acc``, ``val/acc`` and ``eval_accuracy`` are all the accuracy of the validation; what has no such beginning is of
    training."""
    found = PREFIXED.fullmatch(name)
    group, rest = (PREFIXES[found[1]], found[2]) if found else ("train", name)
    return group, ALIASES.get(rest, rest)


def of(group: Group, metrics: Mapping[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Those metrics of a group that are one number, by the console's names. ``without``: ends of the names of others."""
    named = [(*known(name), name, value) for name, value in metrics.items() if not name.endswith(without or "\0")]
    return {rest: value for found, rest, _, value in named if found == group and _is_number(value)}


def _is_number(value: Any) -> bool:
    if (size := getattr(value, "numel", None)) is not None:
        return bool(size() == 1)
    return isinstance(value, (int, float)) or getattr(value, "ndim", None) == 0
