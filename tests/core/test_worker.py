"""The real worker process: its lock, signals, kills, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import checkpoint, commands
from core.errors import UserError
from core.events import (
    CommandAccepted,
    CommandRejected,
    Event,
    MessageLogged,
    ResumeRefused,
    RunFailed,
    RunFinished,
    RunResumed,
    RunStarted,
    RunStopped,
    StepDone,
)
from core.run import inbox, journal, session
from core.run.folder import RunFolder
from core.run.verify import verify
from tests.core.training import TINY, fingerprint, new_run, tiny

LONG = {"epochs": 500, "checkpoint": {"every_seconds": 0.2, "keep": 2}}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    run = new_run(tmp_path / "run", tiny(**LONG))
    yield run
    for line in subprocess.run(["pgrep", "-f", str(run.path)], capture_output=True, text=True, check=False).stdout.split():
        os.kill(int(line), signal.SIGKILL)


def until(run: RunFolder, reached: Callable[[Event], bool], seconds: float = 60) -> Event:
    """Wait for an event; fails with the worker's log when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for event in journal.read_all(run.journal):
            if reached(event):
                return event
        time.sleep(0.05)
    raise AssertionError(f"not said within {seconds} s; the log:\n{run.log.read_text()}")


def is_training(event: Event) -> bool:
    return isinstance(event, StepDone)


def test_a_signal_saves_and_leaves(run: RunFolder) -> None:
    """All of them, and whatever the worker is at: ``tests/torture/test_signals.py``."""
    worker = session.start(run)
    until(run, is_training)
    worker.terminate()
    assert worker.wait(20) == 128 + signal.SIGTERM
    end = journal.read_all(run.journal)[-1]
    assert isinstance(end, RunStopped) and end.signal == signal.SIGTERM
    assert checkpoint.position(checkpoint.listing(run.checkpoints)[-1].name)[0] == end.step
    assert not run.alive()


def test_sigkill_frees_the_lock_and_the_run_goes_on_from_a_checkpoint(run: RunFolder) -> None:
    worker = session.start(run)
    until(run, lambda event: isinstance(event, StepDone) and event.step > 20)
    worker.kill()
    worker.wait()
    assert not run.alive()
    again = session.start(run)
    resumed = until(run, lambda event: isinstance(event, RunResumed))
    assert isinstance(resumed, RunResumed) and resumed.step > 0 and resumed.bit_exact and resumed.note == ""
    inbox.send(run, commands.Stop())
    assert again.wait(20) == 0


def test_two_trainers_on_one_run_are_refused(run: RunFolder) -> None:
    worker = session.start(run)
    with pytest.raises(UserError, match=r"is being trained already.*attach"):
        session.start(run)
    second = subprocess.run(  # past the first check, as a race would: the lock itself refuses
        [*session.WORKER, str(run.path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2 and "is being trained already" in second.stderr
    worker.terminate()
    worker.wait(30)


def test_commands_are_answered_once_and_their_files_are_gone(run: RunFolder) -> None:
    worker = session.start(run)
    until(run, is_training)
    sent = [inbox.send(run, commands.Remark(text=f"remark {number}")) for number in range(20)]
    stop = inbox.send(run, commands.Stop())
    assert worker.wait(20) == 0
    answers = [event.id for event in journal.find(run.journal, CommandAccepted)]
    assert answers == [*sent, stop]
    assert inbox.waiting(run.inbox) == []


def test_rubbish_in_the_inbox_is_rejected_and_removed(run: RunFolder) -> None:
    worker = session.start(run)
    until(run, is_training)
    (run.inbox / "00000000000000000001-bad.json").write_bytes(b'{"type":"Detonate"}')
    refusal = until(run, lambda event: isinstance(event, CommandRejected))
    assert isinstance(refusal, CommandRejected) and "not a command" in refusal.reason
    worker.terminate()
    worker.wait(20)
    assert inbox.waiting(run.inbox) == []


def test_a_command_from_before_the_session_is_refused(run: RunFolder) -> None:
    with run.hold():
        sent = inbox.send(run, commands.Pause())
    worker = session.start(run)
    refusal = until(run, lambda event: isinstance(event, CommandRejected))
    assert isinstance(refusal, CommandRejected)
    assert (refusal.id, refusal.reason) == (sent, "sent before this session")
    until(run, is_training)
    worker.terminate()
    worker.wait(20)


def test_a_command_to_a_run_without_a_trainer_is_refused_at_once(run: RunFolder) -> None:
    with pytest.raises(UserError, match=r"no living trainer.*tui-trainer resume \S*run"):
        inbox.send(run, commands.Pause())


def test_a_tied_worker_saves_and_leaves_with_its_parent(run: RunFolder) -> None:
    worker = session.start(run, tied=True)
    until(run, is_training)
    assert worker.stdin is not None
    worker.stdin.close()  # what the system does when the parent is gone
    assert worker.wait(20) == 128 + signal.SIGTERM


def test_a_divergence_fails_with_its_reason_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(optimizer={"name": "sgd", "lr": 1e30}))
    assert session.start(run).wait(60) == 3
    end = journal.read_all(run.journal)[-1]
    assert isinstance(end, RunFailed) and end.kind == "diverged" and "lower optimizer.lr" in end.reason
    assert (run.path / end.weights).is_file()
    assert all(finding.good for finding in verify(run))


def test_a_finished_run_is_left_as_it_is_unless_more_epochs_are_asked_for(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    assert session.start(run).wait(60) == 0
    before = run.journal.read_bytes()
    assert session.nothing_to_do(run, None) and session.nothing_to_do(run, 1) and not session.nothing_to_do(run, 2)
    assert session.start(run).wait(60) == 0
    assert run.journal.read_bytes() == before
    assert session.start(run, epochs=2).wait(60) == 0
    ends = journal.find(run.journal, RunFinished)
    assert [event.epoch for event in ends] == [1, 2]


def test_a_changed_recipe_is_refused_unless_allowed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    session.start(run).wait(60)
    run.run_file.write_text(run.run_file.read_text().replace('"label_smoothing": 0.0', '"label_smoothing": 0.1'))
    assert session.start(run, epochs=2).wait(60) == 2
    (refused,) = journal.find(run.journal, ResumeRefused)
    assert "the recipe changed" in refused.reason and refused.reason.endswith("--allow-change recipe")
    with pytest.raises(UserError, match="--allow-change model: expected recipe or data or weights"):
        session.start(run, allow_change=["recipe", "model"])
    assert session.start(run, epochs=2, allow_change=["recipe"]).wait(60) == 0
    (resumed,) = journal.find(run.journal, RunResumed)
    assert not resumed.bit_exact and "recipe_hash was" in resumed.note


def test_a_damaged_newest_checkpoint_is_set_aside_and_said(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=2))
    session.start(run).wait(60)
    newest = checkpoint.listing(run.checkpoints)[-1]
    (newest / "optimizer.safetensors").write_bytes(b"torn")
    run.journal.write_bytes(b"".join(line for line in run.journal.read_bytes().splitlines(True) if b"RunFinished" not in line))
    assert session.start(run).wait(60) == 0
    warnings = [event.text for event in journal.find(run.journal, MessageLogged)]
    assert any(f"bad-{newest.name}" in text for text in warnings)


def test_a_run_killed_before_its_first_checkpoint_begins_again_and_says_so(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    with journal.JournalWriter(run.journal) as writer:
        writer.append(RunStarted(name="run"))
    assert session.start(run).wait(60) == 0
    warnings = [event.text for event in journal.find(run.journal, MessageLogged)]
    assert warnings == ["ended before its first checkpoint; begins again"]


def test_the_same_recipe_gives_the_same_files_from_a_process_of_its_own_and_beside_a_foreign_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "project" / "core"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("raise SystemExit('the wrong core')")
    monkeypatch.chdir(foreign.parent)
    runs = [new_run(tmp_path / name, tiny(epochs=1)) for name in ("one", "two")]
    for run in runs:
        assert session.start(run).wait(60) == 0, run.log.read_text()
    assert fingerprint(runs[0]) == fingerprint(runs[1])


def test_create_checks_model_and_data_before_anything_is_made(tmp_path: Path) -> None:
    for changes, words in (
        ({"model": {"name": "resnet", "chanels": 3}}, r"unknown key 'model.chanels' \(did you mean 'channels'"),
        ({"model": {"name": "vgg"}}, "'vgg' is not known; known are convnet, .*resnet"),
        ({"data": {"source": "folder", "path": str(tmp_path / "none")}}, "none"),
        ({"parameter_limit": 1000}, "more than the limit of 1,000"),
    ):
        with pytest.raises(UserError, match=words):
            session.create(tiny(**changes), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_names_are_made_free_and_checked(tmp_path: Path) -> None:
    names = [session.create(tiny(), tmp_path / "runs").name for _ in range(2)]
    assert names == ["tiny", "tiny-2"]
    for bad in ("", "../up", "a b", "last", "x" * 101, "\x1b[2J", ".hidden"):
        with pytest.raises(UserError, match="--name"):
            session.create(tiny(), tmp_path / "runs", bad or "/")
    assert TINY["name"] == "tiny"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_runs_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir(mode=0o500)
    with pytest.raises(UserError, match="Permission denied; choose another --runs folder"):
        session.create(tiny(), tmp_path / "runs")


def test_a_runs_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match="cannot create the run"):
        session.create(tiny(), tmp_path / "runs")
