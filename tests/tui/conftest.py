"""What the console's tests share: a frozen clock and time zone, and a screen as text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.run.describe import Description


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are described by a process that loads torch, which screens can be tested without."""
    monkeypatch.setattr("tui_trainer.forecast.describe", lambda recipe, inputs, code: Description(78_042, 11_500_000))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs folder, as a relative path, so that no screen shows a path of this machine."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs")
    folder.mkdir()
    return folder
