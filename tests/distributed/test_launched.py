"""Processes that a launcher starts on this machine, as ``train --nproc`` does: what becomes of them when one of them dies."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core import events as e
from core.run import journal, session
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, Cli
from tests.distributed.together import begun, outcome, wait_for


def training(run: RunFolder) -> bool:
    return bool(journal.find(run.journal, e.StepDone))


def validating(run: RunFolder) -> bool:
    return any(phase.phase == "validate" for phase in journal.find(run.journal, e.PhaseStarted))


def saving(run: RunFolder) -> bool:
    return any(run.checkpoints.glob(".writing-*"))


MOMENTS: dict[str, Callable[[RunFolder], bool]] = {"training": training, "validation": validating, "saving": saving}


@pytest.fixture
def launched() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a run by two processes; whatever is left of it is ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def launch(run: RunFolder, max_restarts: int = 0) -> subprocess.Popen[bytes]:
        started.append(session.start(run, nproc=2, threads=2, max_restarts=max_restarts))
        return started[-1]

    yield launch
    for process in started:
        process.kill()
        process.wait()


def ranks_of(run: RunFolder) -> list[psutil.Process]:
    """Living processes that train it, the first rank first."""
    (start, *_) = journal.find(run.journal, e.RunStarted, e.RunResumed)[-1:]
    assert isinstance(start, e.RunStarted | e.RunResumed)
    others = re.findall(r"process (\d+)", run.rank_log(1).read_text())[-1:]
    return [psutil.Process(int(number)) for number in (start.process, *others)]


def test_all_are_started_anew_when_one_dies(tmp_path: Path, launched: Callable[..., subprocess.Popen[bytes]]) -> None:
    run, untouched = (begun(tmp_path / name, epochs=6) for name in ("run", "untouched"))
    launcher = launched(run, max_restarts=1)
    wait_for(lambda: bool(journal.find(run.journal, e.CheckpointSaved)))
    ranks_of(run)[1].kill()
    assert launcher.wait(180) == 0, run.log.read_text()
    assert len(journal.find(run.journal, e.RunResumed)) == 1
    assert launched(untouched).wait(180) == 0, untouched.log.read_text()
    assert outcome(run) == outcome(untouched)


def test_a_dead_rank_fails_the_run_with_its_last_words(cli: Cli, tmp_path: Path, environment: dict[str, str]) -> None:
    options = ("--nproc", "2", "--threads", "2", "--name", "run", "--set", "data.limit=40", "--epochs", "100000")
    watched = subprocess.Popen(
        [*COMMAND, "train", "quickstart", *options, "--set", "early_stopping.patience=100000"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    run = RunFolder(tmp_path / "runs" / "run")
    wait_for(lambda: run.journal.exists() and training(run))
    first, second = ranks_of(run)
    second.kill()
    said, _ = watched.communicate(timeout=120)
    assert watched.returncode == 3 and f"failed: rank 1 (process {second.pid}) was ended by SIGKILL" in said, said
    psutil.wait_procs([first, second], timeout=60)
    assert not first.is_running() and not run.alive()
    refused = cli("resume", "run", "--nproc", "1", cwd=tmp_path)
    assert refused.returncode == 2
    assert "the number of processes (2 then, 1 now) changed since the checkpoint" in refused.stderr


@pytest.mark.parametrize(
    "moment",
    ["training", pytest.param("validation", marks=pytest.mark.torture), pytest.param("saving", marks=pytest.mark.torture)],
)
def test_without_their_launcher_all_save_and_leave(
    tmp_path: Path, launched: Callable[..., subprocess.Popen[bytes]], moment: str
) -> None:
    run, untouched = (begun(tmp_path / name, epochs=20) for name in ("run", "untouched"))
    launcher = launched(run)
    wait_for(lambda: MOMENTS[moment](run))
    ranks = ranks_of(run)
    os.kill(launcher.pid, signal.SIGKILL)
    _, left = psutil.wait_procs(ranks, timeout=60)
    assert not left and not run.alive()
    assert isinstance(journal.read_all(run.journal)[-1], e.RunStopped)
    if moment != "training":
        assert launched(run).wait(180) == 0 and launched(untouched).wait(180) == 0
        assert outcome(run) == outcome(untouched)


def test_a_run_is_made_for_a_launcher_of_ones_own(cli: Cli, tmp_path: Path) -> None:
    made = cli("train", "quickstart", "--name", "big", "--create", cwd=tmp_path)
    run = RunFolder(tmp_path / "runs" / "big")
    assert made.stdout.strip() == str(run.path), made
    assert run.exists() and not run.alive() and journal.read_all(run.journal) == []
