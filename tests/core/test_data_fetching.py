"""Downloads of libraries, in processes of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from core.data import fetching, silent

SLOW = """
import os, pathlib, sys, time
folder = pathlib.Path({folder!r})
(folder / "blob").write_bytes(b"x" * 1000)
(folder / "name").symlink_to(folder / "blob")
(folder / "process").symlink_to(str(os.getpid()))
time.sleep(600)
"""


ONCE = (sys.executable, "-m", "timeit", "-n1", "-r1")


class Cancelled(Exception):
    pass


def test_how_much_has_come_is_said_and_it_can_be_cancelled(tmp_path: Path) -> None:
    """As the libraries do, which keep one file and call it by several names."""
    (tmp_path / "there before").write_bytes(b"1234")
    came = list[tuple[str, int, int, str]]()

    def progress(*told: object) -> None:
        came.append(told)  # type: ignore[arg-type]
        if told[1]:
            raise Cancelled

    with pytest.raises(Cancelled):
        fetching.fetch([*ONCE, SLOW.format(folder=str(tmp_path))], tmp_path, progress)
    assert came[0] == ("download", 0, 0, "bytes") and came[-1] == ("download", 1000, 0, "bytes")
    assert not psutil.pid_exists(int((tmp_path / "process").readlink().name))


def test_why_it_failed_is_its_last_line(tmp_path: Path) -> None:
    assert fetching.fetch([*ONCE, "1 / 0"], tmp_path, silent).endswith("ZeroDivisionError: division by zero")
    assert fetching.fetch([*ONCE, "import os; os._exit(3)"], tmp_path, silent) == "no word of why"
    assert fetching.fetch([*ONCE, "pass"], tmp_path, silent) == ""
