"""The queue as people use it: real trainings on one device, a runner that is killed, and what the commands say."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core import checkpoint, recipe
from core import events as e
from core.queue.entries import Entry
from core.queue.folder import QueueFolder
from core.run import journal
from core.run.folder import RunFolder
from tests.cli.conftest import SMALL, Begin, Cli, one_line, wait_for, worker_of

pytestmark = pytest.mark.timeout(560)
PATIENCE = 150.0
"""Seconds for a worker to begin on a machine that has other things to do."""
ENDLESS = ("--epochs", "100000", "--set", "early_stopping.patience=100000", *SMALL)


@pytest.fixture
def entries(tmp_path: Path) -> Callable[[], dict[str, Entry]]:
    return lambda: {entry.name: entry for entry in QueueFolder(tmp_path / "runs").read()}


def listed(cli: Cli, folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("queue", "--json", cwd=folder).stdout)["entries"]
    return found


def begun(run: RunFolder) -> bool:
    return run.journal.exists() and bool(journal.find(run.journal, e.EpochDone))


def test_in_their_order_one_at_a_time_and_past_a_failure(
    cli: Cli, begin: Begin, tmp_path: Path, entries: Callable[[], dict[str, Entry]]
) -> None:
    file, text = tmp_path / "mine.toml", recipe.source_text("quickstart")
    file.write_text(text)
    small = ("--no-start", "--set", "data.limit=40", "--threads", "1")
    said = cli("queue", "add", "mine.toml", "--seed", "3,7,9", "--epochs", "1", *small, cwd=tmp_path).stdout
    assert said.splitlines() == [
        *(f"mine-seed-{seed}: position {place}" for place, seed in enumerate((3, 7, 9), 1)),
        "nothing begins by itself yet; start it with: tui-trainer queue run",
    ]
    cli("queue", "add", "mine.toml", *small, "--set", "optimizer.lr=1e30", "--name", "wrong", cwd=tmp_path)
    file.write_text(text.replace("batch_size", "batch_sise"))  # what was queued stays as it was
    assert cli("queue", "move", "wrong", "--to", "2", cwd=tmp_path).stdout == "wrong: position 2\n"
    assert cli("queue", "cancel", "4", cwd=tmp_path).stdout == "mine-seed-9: cancelled\n"
    before = listed(cli, tmp_path)
    assert [(item["position"], item["name"], item["seed"], item["state"]) for item in before] == [
        (1, "mine-seed-3", 3, "waiting"), (2, "wrong", 0, "waiting"), (3, "mine-seed-7", 7, "waiting"),
        (None, "mine-seed-9", 9, "cancelled"),
    ]  # fmt: skip
    assert before[0]["changes"] == ["epochs=1", "data.limit=40"]

    runner = begin("queue", "run", "--devices", "cpu", "--watch")
    wait_for(lambda: all(entry.ended for entry in entries().values()), PATIENCE)
    assert runner.poll() is None  # it waits for more
    runner.send_signal(signal.SIGINT)
    output, errors = runner.communicate(timeout=60)
    assert (errors, runner.returncode) == ("", 128 + signal.SIGINT), errors
    assert [line.partition(" (")[0].partition(": the")[0].partition(": val")[0] for line in output.splitlines()] == [
        "mine-seed-3: begins on cpu", "mine-seed-3: done", "wrong: begins on cpu", "wrong: failed",
        "mine-seed-7: begins on cpu", "mine-seed-7: done",
    ]  # fmt: skip
    runs = [RunFolder(tmp_path / "runs" / name) for name in ("mine-seed-3", "wrong", "mine-seed-7")]
    told = [journal.read_all(run.journal) for run in runs]
    assert all(one[-1].time <= other[0].time for one, other in pairwise(told))
    made = [run.read() for run in runs]
    assert [(one.recipe["seed"], one.recipe["epochs"], one.threads) for one in made] == [(3, 1, 1), (0, 25, 1), (7, 1, 1)]
    assert entries()["wrong"].note.startswith("the training loss is nan") and entries()["wrong"].device == "cpu"
    assert entries()["mine-seed-3"].note.startswith("val.loss 2.")
    assert cli("queue", "clear", cwd=tmp_path).stdout == "4 entries taken out\n" and entries() == {}
    assert all(run.exists() for run in runs)


def test_a_killed_runner_and_a_killed_trainer(
    cli: Cli, begin: Begin, tmp_path: Path, entries: Callable[[], dict[str, Entry]]
) -> None:
    cli("queue", "add", "quickstart", "--seed", "1..2", "--no-start", *ENDLESS, cwd=tmp_path)
    first, second = (RunFolder(tmp_path / "runs" / f"quickstart-seed-{seed}") for seed in (1, 2))
    runner = begin("queue", "run", "--devices", "cpu")
    wait_for(lambda: begun(first), PATIENCE)
    assert "is being run by another process" in one_line(cli("queue", "run", "--devices", "cpu", cwd=tmp_path))
    runner.kill()
    runner.wait()
    assert first.alive()  # its trainings outlive it
    os.kill(worker_of(first), signal.SIGKILL)
    wait_for(lambda: not first.alive())
    (cut, waits) = listed(cli, tmp_path)
    assert (cut["state"], cut["note"]) == ("training", "was cut off; tui-trainer queue run goes on with it")
    assert (waits["state"], waits["position"]) == ("waiting", 1)

    runner = begin("queue", "run", "--devices", "cpu")  # as after a reboot
    wait_for(lambda: bool(journal.find(first.journal, e.RunResumed)) and first.alive(), PATIENCE)
    runner.terminate()
    output, _ = runner.communicate(timeout=60)
    assert runner.returncode == 128 + signal.SIGTERM and first.alive() and not second.exists()
    assert output.splitlines()[-2:] == ["1 training goes on", "1 entry still waits"]

    runner = begin("queue", "run", "--devices", "cpu")
    assert runner.stdout and runner.stdout.readline() == "quickstart-seed-1: is trained on cpu\n"
    assert cli("queue", "cancel", "all", cwd=tmp_path).stdout == "quickstart-seed-2: cancelled\n"
    assert cli("queue", "cancel", "quickstart-seed-1", cwd=tmp_path).stdout == "quickstart-seed-1: ends with a checkpoint\n"
    output, _ = runner.communicate(timeout=PATIENCE)
    assert output.splitlines() == ["quickstart-seed-1: cancelled: stopped by a person"] and runner.returncode == 0
    assert {name: entry.state for name, entry in entries().items()} == {first.name: "cancelled", second.name: "cancelled"}
    assert len(journal.find(first.journal, e.RunStarted, e.RunResumed)) == 2  # begun once, resumed once
    assert checkpoint.listing(first.checkpoints) and not second.exists()
    assert "is over already: cancelled" in one_line(cli("queue", "cancel", "quickstart-seed-1", cwd=tmp_path))


def test_adding_starts_a_process_that_ends_with_the_queue(
    cli: Cli, tmp_path: Path, entries: Callable[[], dict[str, Entry]]
) -> None:
    queue = QueueFolder(tmp_path / "runs")
    said = cli("queue", "add", "quickstart", "--epochs", "1", "--device", "cpu", *SMALL, "--json", cwd=tmp_path)
    (document,) = json.loads(said.stdout)
    assert (document["name"], document["device"]) == ("quickstart", "cpu")
    wait_for(lambda: entries()["quickstart"].ended and not queue.conducted, PATIENCE)
    assert entries()["quickstart"].state == "done"
    begins, done = queue.log.read_text().splitlines()
    assert begins == "quickstart: begins on cpu (recipe quickstart, seed 0)" and done.startswith("quickstart: done: val.loss")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("add", "quickstart", "--seed", "5..1"), "--seed '5..1': 5..1 goes down; expected 1..5"),
        (("add", "quickstart", "--set", "optimizer.lrr=1"), "did you mean 'lr'"),
        (("cancel", "3"), "no entry waits at position 3; none is waiting"),
        (("move", "a", "--to", "1"), "there is no entry 'a'"),
        (("run", "--devices", "cpu,"), "--devices 'cpu,': expected devices with commas"),
        (("run", "--log", "nothing"), "nothing"),
        (("--runs", "x", "list"), "--runs and --json stand after 'list'"),
    ],
)
def test_a_mistake_is_one_line_and_queues_nothing(cli: Cli, tmp_path: Path, words: tuple[str, ...], answer: str) -> None:
    assert answer in one_line(cli("queue", *words, cwd=tmp_path))
    assert QueueFolder(tmp_path / "runs").read() == ()
