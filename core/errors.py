"""The two kinds of error that leave this package on purpose."""

from __future__ import annotations

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not what was expected, hostile ones included."""


class UserError(Exception):
    """Wrong use: one line that says what, where, what was expected and what to do. Commands print it and exit with 2."""


class TrainingError(Exception):
    """Training cannot go on (diverged, out of memory, disk full ...). The run ends as failed, commands exit with 3."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
