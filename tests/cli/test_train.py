"""Whole trainings through the real worker: what is printed, exit statuses, signals, going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TypeAlias

import pytest

from core import events
from core.run import journal
from core.run.folder import RunFolder
from tests.cli.conftest import ENDLESS, SMALL, Cli, Watch, one_line, wait_for, worker_of

Finished: TypeAlias = "tuple[RunFolder, subprocess.CompletedProcess[str]]"


@pytest.fixture(scope="module")
def finished(cli: Cli, folder: Path) -> Finished:
    """A run of two epochs, and what ``train`` printed of it."""
    asked = ("--require", "test.loss<99", "--require", "test.accuracy.cat>=0", "--junit", "done.xml")
    summary = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    process = cli("train", "quickstart", "--epochs", "2", "--name", "done", *SMALL, *asked, cwd=folder, env=summary)
    return RunFolder(folder / "runs" / "done"), process


def test_train_prints_plain_lines(finished: Finished) -> None:
    _, process = finished
    assert process.returncode == 0, process.stderr
    assert "\x1b" not in process.stdout and "\r" not in process.stdout
    lines = process.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch ")] == ["1/2", "2/2"]
    assert any(line.startswith("finished: 2 epochs done") for line in lines)
    assert any("checkpoints/step-" in line for line in lines)


def test_train_leaves_what_ci_shows(finished: Finished, folder: Path) -> None:
    root = ET.parse(folder / "done.xml").getroot()
    assert [root.attrib[name] for name in ("tests", "failures", "errors")] == ["3", "0", "0"]
    assert "finished: 2 epochs done" in (root.findtext(".//system-out") or "")
    assert "### done: 2 of 2 requirements met" in (folder / "summary.md").read_text()


def test_show_verify_evaluate_predict(finished: Finished, cli: Cli, folder: Path) -> None:
    shown = json.loads(cli("show", "done", "--json", cwd=folder).stdout)
    assert (shown["state"], shown["epoch"]) == ("finished", 2)
    assert [entry["best"] for entry in shown["checkpoints"]].count(True) == 1
    assert cli("verify", "done", cwd=folder).returncode == 0
    found = json.loads(cli("evaluate", "done", "--json", cwd=folder).stdout)
    assert set(found) == {"accuracy", "loss", "accuracy_by_class", "confusion", "images", "checkpoint", "balanced_accuracy"}
    assert found["accuracy"] == pytest.approx(shown["metrics"]["test.accuracy"])
    weights = folder / "runs" / "done" / shown["weights"]
    required = ("--require", "test.accuracy.cat<=1", "--require", "test.accuracy>1", "--junit", "evaluated.xml")
    again = cli("evaluate", str(weights), "--json", *required, cwd=folder)
    assert json.loads(again.stdout) == found
    assert again.returncode == 1 and "tui-trainer: required test.accuracy>1, but it is " in again.stderr
    cases = ET.parse(folder / "evaluated.xml").getroot().findall(".//testcase")
    assert [(case.attrib["name"], len(case)) for case in cases] == [
        ("evaluation", 0), ("test.accuracy.cat<=1", 0), ("test.accuracy>1", 1),
    ]  # fmt: skip


def test_a_required_class_that_the_data_lack_ends_the_training_at_once(cli: Cli, folder: Path) -> None:
    line = one_line(
        cli("train", "quickstart", *SMALL, "--quiet", "--name", "katze", "--require", "test.accuracy.katze>0.1", cwd=folder)
    )
    assert "class 'katze' is not known" in line and "cat, " in line
    run = RunFolder(folder / "runs" / "katze")
    assert not run.alive() and not journal.find(run.journal, events.RunFinished)


def test_resume_of_a_finished_run_changes_nothing(finished: Finished, cli: Cli, folder: Path) -> None:
    run, _ = finished
    before = run.journal.read_bytes()
    process = cli("resume", "done", cwd=folder)
    assert (process.returncode, run.journal.read_bytes()) == (0, before)
    assert "nothing to do" in process.stdout
    missed = cli("resume", "done", "--require", "test.accuracy>1", cwd=folder)
    assert missed.returncode == 1
    assert missed.stderr.startswith("tui-trainer: required test.accuracy>1, but it is ")


def test_resume_from_an_earlier_checkpoint(finished: Finished, cli: Cli, folder: Path) -> None:
    run, _ = finished
    copy = RunFolder(folder / "runs" / "back")
    subprocess.run(["cp", "-r", str(run.path), str(copy.path)], check=True)
    before = copy.journal.read_bytes()
    refused = cli("resume", "back", "--from", "elsewhere", cwd=folder)
    assert (refused.returncode, copy.journal.read_bytes()) == (2, before)
    assert one_line(refused).startswith("tui-trainer: no checkpoint 'elsewhere'; expected best, last or one of ")
    process = cli("resume", "back", "--from", "step-1", cwd=folder)
    assert process.returncode == 0, process.stderr
    assert "finished: 2 epochs done" in process.stdout
    _, back, end = journal.find(copy.journal, events.RunRewound, events.RunFinished)
    assert isinstance(back, events.RunRewound) and (back.step, back.asked) == (1, True)
    assert isinstance(end, events.RunFinished) and end.step == 2


def test_resume_to_more_epochs_prints_the_new_session_alone(finished: Finished, cli: Cli, folder: Path) -> None:
    run, _ = finished
    copy = RunFolder(folder / "runs" / "more")
    subprocess.run(["cp", "-r", str(run.path), str(copy.path)], check=True)
    before = copy.journal.read_bytes()
    process = cli("resume", "more", "--epochs", "3", "--json", cwd=folder)
    assert process.returncode == 0, process.stderr
    assert before + process.stdout.encode() == copy.journal.read_bytes()
    decoded = [events.decode(line.encode()) for line in process.stdout.splitlines()]
    (resumed,) = [event for event in decoded if isinstance(event, events.RunResumed)]
    assert (resumed.step, resumed.epochs) == (2, 3)
    assert isinstance(decoded[-1], events.RunFinished)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_leaves(number: int, status: int, watched: Watch, folder: Path) -> None:
    process, run = watched(f"signal-{number}", "--junit", f"{number}.xml")
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == status
    assert "stopped: signal" in output
    (error,) = ET.parse(folder / f"{number}.xml").iter("error")
    assert error.attrib["type"] == signal.Signals(number).name
    stopped = journal.find(run.journal, events.RunStopped)[-1]
    assert isinstance(stopped, events.RunStopped) and (run.path / stopped.weights).is_file()


def test_a_dead_viewer_only_detaches(watched: Watch, cli: Cli, folder: Path) -> None:
    process, run = watched("viewer")
    process.send_signal(signal.SIGHUP)
    process.wait(timeout=30)
    assert run.alive()
    assert "tui-trainer attach" in one_line(cli("resume", "viewer", cwd=folder))
    assert cli("pause", "viewer", cwd=folder).stdout.startswith("Pause: paused at step")
    assert json.loads(cli("show", "viewer", "--json", cwd=folder).stdout)["state"] == "paused"
    assert cli("save", "viewer", "--name", "mine", cwd=folder).stdout.startswith("Save: saved step-")
    assert "epoch" in one_line(cli("tell", "viewer", "epochs=0", cwd=folder))
    assert cli("stop", "viewer", cwd=folder).returncode == 0
    wait_for(lambda: not run.alive())
    assert json.loads(cli("show", "viewer", "--json", cwd=folder).stdout)["state"] == "stopped"


def test_a_worker_that_is_killed_leaves_a_lost_run(watched: Watch) -> None:
    process, run = watched("killed")
    os.kill(worker_of(run), signal.SIGKILL)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "lost: the trainer was ended by SIGKILL" in output
    assert "next: tui-trainer resume killed" in output


def test_detach_names_the_run(cli: Cli, folder: Path) -> None:
    process = cli(*ENDLESS, "--name", "detached", "--detach", cwd=folder)
    run = RunFolder(folder / "runs" / "detached")
    try:
        assert process.returncode == 0
        assert process.stdout.splitlines() == ["detached", "look at it with: tui-trainer attach detached"]
        assert run.alive()
    finally:
        wait_for(lambda: bool(journal.find(run.journal, events.RunStarted)))
        os.kill(worker_of(run), signal.SIGKILL)


def test_a_diverged_training_exits_with_3(cli: Cli, folder: Path) -> None:
    options = ("--set", "optimizer.lr=1e30", "--set", "precision=fp32", "--name", "nan", "--quiet")
    asked = ("--junit", "nan.xml", "--require", "test.accuracy>=0.1")
    process = cli("train", "quickstart", *SMALL, *options, *asked, cwd=folder)
    assert process.returncode == 3, process
    assert "failed: the training loss is" in process.stdout
    (root,) = ET.parse(folder / "nan.xml").getroot()
    assert [element.attrib["type"] for element in root.iter("error")] == ["diverged"]
    assert [root.attrib[name] for name in ("tests", "failures", "errors", "skipped")] == ["2", "0", "1", "1"]
    assert "Traceback" not in process.stderr
