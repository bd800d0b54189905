"""Tables within tables as one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]


def flat(table: Mapping[str, Any], deepest: float = math.inf, before: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each value with the keys on the way to it. A table that lies ``deepest`` tables deep is a value."""
    for key, value in table.items():
        path = (*before, key)
        if isinstance(value, Mapping) and len(path) <= deepest:
            yield from flat(value, deepest, path)
        else:
            yield path, value
