"""A real training, watched from a real terminal, on a machine with others: nothing listens, and nothing is theirs to open."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from core.bench.console import Console
from core.events import RunStarted, StepDone
from core.run import journal, session
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND
from tests.core.test_private import open_to_others
from tests.core.training import tiny

ENDLESS = tiny(epochs=100_000, early_stopping={"patience": 100_000}, checkpoint={"every_seconds": 0.2, "keep": 2})


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[RunFolder, psutil.Process]]:
    """Started with a umask that keeps nobody out."""
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    before = os.umask(0)
    try:
        run = session.create(ENDLESS, tmp_path / "runs")
        worker = session.start(run, threads=1)
    finally:
        os.umask(before)
    yield run, psutil.Process(worker.pid)
    worker.kill()
    worker.wait()


def connections(process: psutil.Process) -> list[object]:
    """To or from a network, and those that others could find by a name."""
    with suppress(psutil.NoSuchProcess):
        return [*process.net_connections("inet"), *(found for found in process.net_connections("unix") if found.laddr)]
    return []


def test_nothing_listens_and_nothing_is_open_to_others(
    training: tuple[RunFolder, psutil.Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, worker = training
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with Console([*COMMAND, "attach", str(run.path)], tmp_path / "screen") as console:
        while not journal.find(run.journal, StepDone):
            assert run.alive(), run.log.read_text()
            time.sleep(0.05)
        programs = console._programs()
        seen = {process.pid for process in (worker, *worker.children(recursive=True), *programs)}
        assert programs and len(seen) >= 2
        assert [found for pid in seen for found in connections(psutil.Process(pid))] == []
    worker.kill()  # so that all that it needs while it lives is still there
    worker.wait()
    assert open_to_others(tmp_path / "runs") == {}
    assert open_to_others(tmp_path / "cache") == {}
    assert {path.name for path in run.path.iterdir()} == {
        "run.json", "events.jsonl", "inbox", "checkpoints", "media", "worker.log", "lock", "reserve",
    }  # fmt: skip
    (begun,) = journal.find(run.journal, RunStarted)
    assert begun.run == run.read().id != ""


def test_what_listens_would_be_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)), socket.socketpair()[0]:
        (found,) = connections(psutil.Process())
    assert "LISTEN" in str(found)
