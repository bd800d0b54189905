"""What a trainer leaves behind: children that it forked or started, and which live on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from core.events import RunResumed, RunStopped
from core.run import journal, session
from core.run.folder import RunFile, RunFolder
from tests.core.training import fingerprint, new_run
from tests.crowd.harness import PATIENCE, ended, line, lives, short, start


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.create(RunFile(name="run"))
    return run


@pytest.mark.parametrize("kind", ["forked", "worker", "program"])
def test_a_child_that_outlives_its_trainer_does_not_hold_the_lock(run: RunFolder, kind: str) -> None:
    holder = start("holder.py", run.path, kind)
    child = int(line(holder))
    try:
        assert holder.wait(PATIENCE) == -signal.SIGKILL
        with run.hold(patience=PATIENCE):  # a child may have been forked so lately that it has not let go yet
            assert run.alive() and lives(child)
    finally:
        os.kill(child, signal.SIGKILL)
        holder.communicate()


def test_a_child_that_ends_leaves_the_lock_with_its_parent(run: RunFolder) -> None:
    """Through the same ``with``, as a child that returns does."""
    parent = os.getpid()
    with run.hold():
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            assert run.alive()
    if os.getpid() != parent:
        os._exit(0)
    assert not run.alive()


def test_a_run_goes_on_beside_the_orphan_of_its_killed_trainer(tmp_path: Path, alone: str) -> None:
    run, record = new_run(tmp_path / "run", short()), tmp_path / "record"
    worker = start("odd_worker.py", run.path, record, "orphan", log=run.log)
    with ended(worker):
        assert worker.wait(PATIENCE) == -signal.SIGKILL, run.log.read_text()
        orphan = int(record.read_text())
        try:
            assert lives(orphan)
            assert session.start(run, threads=1).wait(PATIENCE) == 0, run.log.read_text()
        finally:
            os.kill(orphan, signal.SIGKILL)
    assert len(journal.find(run.journal, RunResumed)) == 1
    assert fingerprint(run) == alone


def test_a_signal_to_a_child_is_not_the_trainers(tmp_path: Path, alone: str) -> None:
    run, record = new_run(tmp_path / "run", short()), tmp_path / "record"
    worker = start("odd_worker.py", run.path, record, "ended child", log=run.log)
    with ended(worker):
        assert worker.wait(PATIENCE) == 0, run.log.read_text()
    assert not journal.find(run.journal, RunStopped)
    assert fingerprint(run) == alone
