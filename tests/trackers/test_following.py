"""Trackers as they run: each in a process of its own, beside a training that knows nothing of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from tests.cli.conftest import SMALL, one_line, wait_for
from tests.trackers.conftest import LINES, Command, environment, left, steps, told
from tests.tui import runs as made
from tui_trainer.forwarding import followers
from tui_trainer.forwarding.place import PlaceFile
from tui_trainer.trackers import Wanted

Follow: TypeAlias = "Callable[..., subprocess.Popen[str]]"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return made.make(tmp_path / "runs", "demo", [made.started(), *made.training(1, 50)])


@pytest.fixture
def follow(copied: Path, tmp_path: Path) -> Iterator[Follow]:
    started = list[subprocess.Popen[str]]()

    def start(run: RunFolder, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_trainer", "log", str(run.path), "--to", "lines", "--follow"], cwd=tmp_path,
            env=environment(copied) | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def has(run: RunFolder, step: int) -> bool:
    """Whether the tool has the last point at this step, and the run's folder says so: killed before, it would get it again."""
    lines = run.path / "lines.jsonl"
    seq = [event.seq for event in journal.find(run.journal, e.StepDone) if event.step == step][-1]
    return lines.exists() and step in steps(run) and PlaceFile(run, "lines", str(lines)).read().seq >= seq


def test_a_living_run_is_followed_until_nobody_trains_it(run: RunFolder, follow: Follow) -> None:
    """Killed meanwhile, it goes on where it was."""
    with run.hold():
        process = follow(run)
        wait_for(lambda: has(run, 50))
        made.say(run, made.training(2, 30))
        wait_for(lambda: has(run, 130))
        assert process.poll() is None and not told(run, "ended")
        process.kill()
        process.wait()
        made.say(run, [e.RunRewound(step=100, epoch=2), *made.training(2, 20)])
        again = follow(run)
        wait_for(lambda: left(run, replaces=False)[-1] == 120)
        made.say(run, [e.RunStopped(step=120, epoch=2, reason="asked to stop")])
    assert again.wait(60) == 0
    assert left(run, replaces=False) == [10, 20, 30, 40, 50, 110, 120]
    assert steps(run).count(130) == 1 and [line["step"] for line in told(run, "taken_back")] == [100]
    (end,) = told(run, "ended")
    assert (end["status"], end["words"]) == ("stopped", "asked to stop")


def test_a_tool_that_fails_is_tried_again(run: RunFolder, follow: Follow, tmp_path: Path) -> None:
    with run.hold():
        process = follow(run, LINES_FAIL_AT="110")
        wait_for(lambda: has(run, 50))
        made.say(run, made.training(2, 30))
        wait_for(lambda: "No space left" in (run.log.read_text() if run.log.exists() else ""))
        (tmp_path / "mended").touch()
        wait_for(lambda: has(run, 130))
    assert process.wait(60) == 0
    assert left(run, replaces=False) == [10, 20, 30, 40, 50, 110, 120, 130]
    line = run.log.read_text().splitlines()
    assert len(line) == 1 and "the training goes on without it; what it lacks it gets by: tui-trainer log" in line[0]


def test_a_tool_that_still_fails_when_the_run_has_ended_is_one_line(
    run: RunFolder, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = command("log", str(run.path), "--to", "lines", "--follow", LINES_FAIL_AT="1")
    lines = process.stderr.splitlines()
    assert process.returncode == 2 and "lines failed: [Errno 28] No space left on device: " in lines[-1]
    assert run.log.read_text().splitlines()[-1] == lines[-1].replace("tui-trainer: ", "tui-trainer log: ")


def test_a_second_one_leaves_it_to_the_first(run: RunFolder, follow: Follow, command: Command) -> None:
    with run.hold():
        follow(run)
        wait_for(lambda: has(run, 50))
        assert "another process is logging this run there" in one_line(command("log", "demo", "--to", "lines"))
    assert steps(run) == [10, 20, 30, 40, 50]


@pytest.mark.usefixtures("lines")
def test_one_that_ends_without_a_word_has_not_said_what_another_one_said(
    run: RunFolder, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(copied))
    log = PlaceFile(run, "lines", str(run.path / "lines.jsonl")).log
    log.parent.mkdir()
    log.write_text("lines failed: what was so last week\n")
    begun = followers.Followers(run, [Wanted("lines")])
    with run.hold():
        process = begun.launched(lambda: psutil.Process(), pytest.fail)
        wait_for(lambda: has(run, 50))
        for child in process.children():
            child.kill()
        (words,) = begun.wait(tied=False).troubles
    assert words.startswith("lines: its process ended without a word; what it lacks it gets by: tui-trainer log ")


@pytest.mark.usefixtures("lines")
def test_a_password_can_be_read_nowhere(run: RunFolder, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the run folder nor in the list of processes; with another one it is the same place."""
    monkeypatch.setenv("PYTHONPATH", str(copied))
    monkeypatch.setenv("LINES_FAIL_AT", "1")
    monkeypatch.setenv("LINES_TO", str(tmp_path / "told"))
    secret = "http://me:hunter2@localhost"
    with run.hold():
        started = followers.Followers(run, [Wanted("lines", secret), Wanted("lines", f"{secret}/?token=hunter2")])
        started.launched(lambda: None, pytest.fail)
        wait_for(lambda: run.log.exists() and run.log.read_text().count("lines failed: ") == 2)
        shown = list(map(_words, psutil.Process().children()))
    for process in psutil.Process().children():
        process.kill()
    assert any(str(run.path) in line for line in shown) and "hunter2" not in str(shown)
    assert "--to lines:http://***@localhost" in run.log.read_text().replace("'", "")
    kept = [path for path in run.path.rglob("*") if path.is_file()]
    assert [path.name for path in kept if b"hunter2" in path.read_bytes()] == []
    other, changed = (PlaceFile(run, "lines", f"http://me:{word}@localhost") for word in ("one", "two"))
    assert other.log == changed.log


def test_a_second_follower_waits_and_says_so(run: RunFolder, follow: Follow) -> None:
    """As that of a resume does while the one before is busy; it takes over, should that one end before the run does."""
    with run.hold():
        first = follow(run)
        wait_for(lambda: has(run, 50))
        others = [follow(run), follow(run)]
        wait_for(lambda: run.log.exists() and run.log.read_text().count("another process gives this run to lines; ") == 2)
        first.kill()
        first.wait()
        made.say(run, made.training(2, 30))
        wait_for(lambda: has(run, 130))
        made.say(run, [e.RunStopped(step=130, epoch=2, reason="asked to stop")])
    assert [other.wait(60) for other in others] == [0, 0]
    assert left(run, replaces=False) == [10, 20, 30, 40, 50, 110, 120, 130] and len(told(run, "begin")) == 2


def test_a_run_that_is_removed_before_it_begins_is_not_made_again(tmp_path: Path, follow: Follow) -> None:
    run = made.make(tmp_path / "runs", "demo", [e.PhaseStarted(phase="start")])
    assert follow(run).wait(60) == 0
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "events.jsonl", "inbox", "run.json"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "quickstart", "--log", "tensorbord"), "did you mean 'tensorboard'"),
        (("train", "quickstart", "--log", "absent"), "needs no_such_library, which is not installed; install it with: pip "),
        (("train", "quickstart", "--log", "lines", "--log", "absent:x"), "pip install 'tui-trainer[absent]'"),
        (("resume", "demo", "--log", ""), "expected one of absent, lines, mlflow, tensorboard"),
        (("log", "demo", "--to", "../lines"), "no tracker '../lines'"),
        (("log", "nosuch", "--to", "lines"), "run 'nosuch' not found"),
        (("log", "demo"), "Missing option '--to'"),
    ],
)
def test_wrong_use_is_one_line_before_anything_begins(
    run: RunFolder, command: Command, copied: Path, tmp_path: Path, arguments: Sequence[str], words: str
) -> None:
    absent = LINES.replace('LIBRARY = "json"', 'LIBRARY = "no_such_library"')
    (copied / "tui_trainer" / "trackers" / "absent.py").write_text(absent)
    assert words in one_line(command(*arguments))
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["demo"] and not run.log.exists()


def test_a_training_is_followed_and_does_not_wait(tmp_path: Path, copied: Path, command: Command) -> None:
    """To its end where it is tied; then further, beside a tool that hangs, which Ctrl-C is not an end of the training for."""
    run = RunFolder(tmp_path / "runs" / "real")
    trained = command("train", "quickstart", "--epochs", "2", *SMALL, "--name", "real", "--foreground", "--log", "lines")
    assert trained.returncode == 0 and f"next: cat {run.path / 'lines.jsonl'}" in trained.stdout.splitlines()
    assert steps(run) == [1, 2] and told(run, "ended")[0]["status"] == "finished"
    further = ["resume", "real", "--epochs", "3", "--log", "lines", "--log", "lines:hang", "--foreground", "--junit", "r.xml"]
    with (tmp_path / "errors").open("wb") as errors:
        resumed = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_trainer", *further], cwd=tmp_path, env=environment(copied), stderr=errors,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: "waiting for lines to take the rest (Ctrl-C: " in (tmp_path / "errors").read_text(), 150)
        resumed.send_signal(signal.SIGINT)
        assert resumed.wait(60) == 0 and (tmp_path / "r.xml").exists()
    (hanging,) = [found for found in psutil.process_iter() if _gives(found, run) == "lines:hang"]
    hanging.kill()
    waited, *_, left_alone = (tmp_path / "errors").read_text().splitlines()
    assert waited.startswith("waiting for ") and "lines has not got all of it yet" in left_alone
    assert steps(run) == [1, 2, 3] and len(told(run, "ended")) == 2
    assert len(journal.find(run.journal, e.RunFinished)) == 2
    modes = {path.stat().st_mode & 0o077 for path in (run.path / "trackers").iterdir()}
    assert modes == {0}


def _words(process: psutil.Process) -> str:
    """What it was called with, if it has not just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _gives(process: psutil.Process, run: RunFolder) -> str:
    """Where to, if it gives that run to a tool."""
    try:
        follows = process.cmdline()[-2:] == [str(run.path), "--follow"]
        return process.environ().get(followers.TO, "") if follows else ""
    except psutil.Error:
        return ""
