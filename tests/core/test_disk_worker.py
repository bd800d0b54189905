"""The real worker on a disk that takes nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from core import checkpoint, commands
from core.errors import UserError
from core.events import CheckpointSaved, CommandAccepted, RunFailed, RunPaused
from core.run import inbox, journal, session
from core.run.options import Options
from core.run.signals import Signals
from core.run.work import Session
from core.view.summary import summarise
from tests.core.disks import fill, limit_files, small_disk
from tests.core.test_worker import is_training, until
from tests.core.training import fingerprint, new_run, tiny, train

WIDE = {"name": "resnet", "blocks": [1, 1], "channels": 48, "pool": 16}
"""A checkpoint of it takes 2 MB."""
Workers: TypeAlias = "list[subprocess.Popen[bytes]]"


@pytest.fixture
def workers() -> Iterator[Workers]:
    started: Workers = []
    yield started
    for worker in started:
        worker.kill()
        worker.wait()


def test_a_file_size_limit_is_no_death_and_the_run_goes_on_once_it_is_lifted(
    tmp_path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # of code that it loads it would keep the first half
    whole, run = (new_run(tmp_path / name, tiny()) for name in ("whole", "run"))
    train(whole)
    worker = session.start(run, threads=1)
    workers.append(worker)
    until(run, lambda event: True)
    limit_files(worker.pid, 20_000)  # less than a checkpoint, more than the journal so far
    paused = until(run, lambda event: isinstance(event, RunPaused))
    assert isinstance(paused, RunPaused) and paused.reason == "file-size limit reached"
    assert summarise(run).hindrance == "file-size limit reached"
    limit_files(worker.pid, None)
    inbox.send(run, commands.Continue())
    assert worker.wait(60) == 0, run.log.read_text()
    assert fingerprint(run) == fingerprint(whole)
    assert [event.seq for event in journal.read_all(run.journal)] == list(range(len(journal.read_all(run.journal))))
    assert not run.reserve.exists()


def test_on_a_full_disk_the_worker_says_why_and_still_obeys(tmp_path: Path, workers: Workers) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        run = new_run(disk / "run", tiny(model=WIDE, epochs=500, checkpoint={"every_seconds": 0.2, "keep": 2}))
        worker = session.start(run)
        workers.append(worker)
        until(run, is_training)
        assert run.reserve.stat().st_size == 1 << 20
        inbox.send(run, commands.Pause())
        paused = until(run, lambda event: isinstance(event, RunPaused))
        assert isinstance(paused, RunPaused)
        until(run, lambda event: isinstance(event, CheckpointSaved) and event.step == paused.step)  # perhaps just before it
        fill(disk, left=1 << 16)
        inbox.send(run, commands.Continue())
        until(run, lambda event: isinstance(event, RunPaused) and event.reason == "disk full")
        stop = inbox.send(run, commands.Stop())
        assert worker.wait(20) == 0
        assert stop in {event.id for event in journal.find(run.journal, CommandAccepted)}
        assert inbox.waiting(run.inbox) == []
        assert not run.reserve.exists()
        state = summarise(run)
        assert state.status == "stopped" and "the newest state was not saved (disk full)" in state.ending
        assert (run.path / state.weights).is_file()
        fill(disk)
        with pytest.raises(UserError, match="cannot be written: disk full"):
            session.start(run)


def test_too_little_room_is_refused_before_the_first_step(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        run = new_run(disk / "run", tiny(model=WIDE))
        with run.hold():
            assert Session(run, Options(), Signals()).work() == 2
        (failed,) = journal.find(run.journal, RunFailed)
        assert failed.kind == "use" and "free, and the run needs" in failed.reason
        assert checkpoint.listing(run.checkpoints) == []


def test_a_run_folder_that_is_gone_ends_the_worker_with_last_words(tmp_path: Path, workers: Workers) -> None:
    """Nothing is due to be saved, so that it is not the next checkpoint which finds out."""
    unwatched = {"data": {"source": "sample", "limit": 70, "validation": 0.0}, "early_stopping": {"enabled": False}}
    last = {"evaluation": {"weights": "last"}, "checkpoint": {"every_epochs": 100_000}}
    run = new_run(tmp_path / "run", tiny(epochs=100_000, **unwatched, **last))
    worker = subprocess.Popen([*session.WORKER, str(run.path)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    workers.append(worker)
    until(run, is_training)
    run.path.rename(tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "elsewhere")
    gone = time.monotonic()
    assert worker.wait(30) == 3
    assert time.monotonic() - gone < 15
    assert worker.stderr is not None
    words = worker.stderr.read().decode()
    assert words.splitlines() == [f"disk: the run folder was deleted or moved away: {run.path}"]
    assert list(tmp_path.iterdir()) == []
