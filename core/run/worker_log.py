"""The log of a worker process, which is its standard error."""

from __future__ import annotations

import contextlib
import sys


def log(text: str) -> None:
    """It may lie on a full disk."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)  # noqa: T201
