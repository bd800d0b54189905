"""The two kinds of error that leave this package on purpose."""

from __future__ import annotations

import errno

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not what was expected, hostile ones included."""


EXHAUSTED = ("out of memory", "can't allocate memory", "std::bad_alloc", "ALLOC_FAILED", "could not create a memory object")
"""How torch's allocators, the C++ library, CUDA's libraries and oneDNN say it."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error, of Python, numpy, torch or the system, says that there is not enough memory."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return any(words in str(error) for words in EXHAUSTED)


class UserError(Exception):
    """Wrong use: one line that says what, where, what was expected and what to do. Commands print it and exit with 2."""


class TrainingError(Exception):
    """Training cannot go on (diverged, out of memory, disk full ...). The run ends as failed, commands exit with 3."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
