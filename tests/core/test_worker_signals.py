"""Signals to a real worker that waits for something long: it does not wait for the end of that. What they do to one that trains
is tried in ``tests/torture/test_signals.py``."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from core import checkpoint
from core.events import Event, PhaseEnded, PhaseStarted, RunFinished, RunStopped, StepDone
from core.run import journal, session
from core.run.folder import RunFolder
from tests.core.test_data_download import serving
from tests.core.test_worker import until
from tests.core.training import fingerprint, new_run, tiny

Start: TypeAlias = "Callable[[RunFolder], subprocess.Popen[bytes]]"
SMALL = {"epochs": 1, "model": {"name": "convnet", "widths": [8, 8]}, "compile": True}
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="torch.compile needs a C++ compiler"
)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start_one(run: RunFolder) -> subprocess.Popen[bytes]:
        started.append(session.start(run, threads=1))
        return started[-1]

    yield start_one
    for worker in started:
        worker.kill()
        worker.wait()


def begins(phase: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, PhaseStarted) and event.phase == phase


def check_cut_short(run: RunFolder, worker: subprocess.Popen[bytes], number: int, phase: str) -> None:
    """Raises AssertionError unless a worker left because of a signal, in the middle of a phase."""
    assert worker.wait(60) == 128 + number, run.log.read_text()
    said = journal.read_all(run.journal)
    assert isinstance(said[-1], RunStopped) and said[-1].signal == number
    assert not any(isinstance(event, PhaseEnded) and event.phase == phase for event in said)
    assert run.log.read_text() == ""


def test_while_torch_is_loaded(tmp_path: Path, start: Start) -> None:
    run = new_run(tmp_path / "run", tiny())
    worker = start(run)
    until(run, begins("start"))
    worker.send_signal(signal.SIGINT)
    check_cut_short(run, worker, signal.SIGINT, "start")
    assert checkpoint.listing(run.checkpoints) == []


def test_while_a_server_says_nothing(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would do so for ten seconds, and then break the connection."""
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("TUI_TRAINER_DATA", raising=False)
    run = new_run(tmp_path / "run", tiny(data={"source": "cifar10"}))
    with serving() as server:
        server.stalls = True
        monkeypatch.setenv("TUI_TRAINER_CIFAR10_URL", server.url)
        worker = start(run)
        until(run, begins("download"))
        while not server.ranges:
            time.sleep(0.02)
        worker.terminate()
        check_cut_short(run, worker, signal.SIGTERM, "download")


@needs_compiler
@pytest.mark.torture
def test_while_a_compiler_is_at_work(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    run = new_run(tmp_path / "run", tiny(**SMALL))
    worker = start(run)
    until(run, begins("compile"))
    time.sleep(1.0)  # into the thick of it
    worker.terminate()
    check_cut_short(run, worker, signal.SIGTERM, "compile")
    assert [checkpoint.position(place.name)[0] for place in checkpoint.listing(run.checkpoints)] == [0]


@needs_compiler
@pytest.mark.torture
@pytest.mark.timeout(900)
def test_a_run_whose_compiling_was_cut_short_ends_with_the_same_bits(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first step, and before the last, whose batch has another shape."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    whole, stopped = (new_run(tmp_path / name, tiny(**SMALL)) for name in ("whole", "stopped"))
    for taken in (0, 4):
        worker = start(stopped)
        until(stopped, partial(begins_after, stopped, taken), 300)
        worker.terminate()
        worker.wait(60)
        assert checkpoint.position(checkpoint.listing(stopped.checkpoints)[-1].name)[0] == taken
    for run in (stopped, whole):
        assert start(run).wait(300) == 0, run.log.read_text()
        assert isinstance(journal.read_all(run.journal)[-1], RunFinished)
    assert fingerprint(stopped) == fingerprint(whole)


def begins_after(run: RunFolder, taken: int, event: Event) -> bool:
    return begins("compile")(event) and steps(run) == taken


def steps(run: RunFolder) -> int:
    return max((event.step for event in journal.find(run.journal, StepDone)), default=0)
