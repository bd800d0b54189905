"""A worker that dies without a word, or hangs: what ``train``, ``show`` and the console say of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from textual.pilot import Pilot

from core import events
from core.run import journal
from core.run.folder import RunFolder
from core.run.verify import verify
from core.view import readings
from tests.cli import failing
from tests.cli.conftest import SMALL
from tests.tui.screens import seen
from tui_trainer.app import TrainerApp
from tui_trainer.screens.run import RunScreen

FAILING = (sys.executable, "-P", failing.__file__)
ENDLESS = ("train", "quickstart", "--epochs", "100000", "--set", "early_stopping.patience=100000", *SMALL, "--name", "run")


class Watched:
    """``train`` in a process of its own, with a worker that meets its fate."""

    def __init__(self, fate: str, folder: Path, environment: dict[str, str]) -> None:
        self.run, self._fate, self._folder, self._environment = RunFolder(folder / "runs" / "run"), fate, folder, environment
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*FAILING, fate, *ENDLESS], cwd=folder, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )

    @property
    def told(self) -> str:
        return self._output.read_text()

    @property
    def worker(self) -> psutil.Process:
        (begun,) = journal.find(self.run.journal, events.RunStarted)
        return psutil.Process(begun.process)

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """A bound against a hang, nothing more."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain; train said:\n{self.told}"
            time.sleep(0.05)

    def show(self) -> str:
        command = [*FAILING, self._fate, "show", "run"]
        done = subprocess.run(command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=True)
        return done.stdout

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.run.alive():
            self.worker.kill()


@pytest.fixture
def watch(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Watched]]:
    started: list[Watched] = []

    def start(fate: str) -> Watched:
        watched = Watched(fate, tmp_path, environment | {"PYTHONPATH": os.pathsep.join(sys.path)})
        started.append(watched)
        watched.until(watched.run.alive)
        return watched

    yield start
    for watched in started:
        watched.end()


@pytest.fixture
def _shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is in the command line that is watched."""
    for name in ("LONG_STEP", "LONG_FIRST_STEP", "STALE_SECONDS"):
        monkeypatch.setattr(readings, name, getattr(readings, name))
    failing.shorten()


async def shows(pilot: Pilot[Any], status: str) -> None:
    """Wait until the run screen does; a bound against a hang is the test's own."""
    while not (isinstance(pilot.app.screen, RunScreen) and pilot.app.screen.state.status == status):
        await pilot.pause(0.05)
    await seen(pilot, status)


@pytest.mark.parametrize(
    ("fate", "why", "last_words"),
    [
        ("crash", "the trainer was ended by SIGSEGV; see", "Fatal Python error"),
        ("kill", "the trainer was ended by SIGKILL (what the system does when memory runs out); see", "the last words"),
    ],
)
async def test_a_trainer_that_dies_without_a_word(
    fate: str, why: str, last_words: str, watch: Callable[[str], Watched]
) -> None:
    watched = watch(fate)
    app = TrainerApp(watched.run.path.parent, attach=watched.run)
    async with app.run_test(size=(200, 60)) as pilot:
        await shows(pilot, "lost")
        for words in ("gone without a word", last_words, "press r, or: tui-trainer resume"):
            await seen(pilot, words)
    assert watched.process.wait(30) == 3
    for words in (f"lost: {why}", f"worker.log: {last_words}", "next: tui-trainer resume run"):
        assert words in watched.told
    shown = watched.show()
    for words in ("lost", last_words, "tui-trainer resume run"):
        assert words in shown
    assert all(item.good for item in verify(watched.run))


@pytest.mark.usefixtures("_shortened")
async def test_a_trainer_that_hangs(watch: Callable[[str], Watched]) -> None:
    watched = watch("stall")
    app = TrainerApp(watched.run.path.parent, attach=watched.run)
    async with app.run_test(size=(200, 60)) as pilot:
        watched.until(lambda: "a step has taken" in watched.told)
        assert f"at step {failing.STEP}" in watched.told
        await seen(pilot, "a step has taken")
        assert "running: a step has taken" in watched.show()
        (watched.run.path / failing.GO_ON).touch()
        watched.until(lambda: "no sign of life for" in watched.told)
        await seen(pilot, "no sign of life for")
        assert "running: no sign of life for" in watched.show()
        assert watched.worker.status() == psutil.STATUS_STOPPED
        watched.worker.send_signal(signal.SIGCONT)
        watched.until(lambda: "goes on, at step" in watched.told)
        watched.process.send_signal(signal.SIGTERM)
        assert watched.process.wait(60) == 128 + signal.SIGTERM
        await shows(pilot, "stopped")
