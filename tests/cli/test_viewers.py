"""What becomes of a training when the process that shows it goes: nothing, unless it was asked to go with it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from core import checkpoint
from core.events import RunStopped, StepDone
from core.run import journal
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, ENDLESS, Watch, as_from_a_shell, wait_for, worker_of

LONGEST = 60.0
"""Seconds that anything here may take before it counts as one that hangs."""


class Terminal:
    """A command in the foreground of a terminal of its own."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.screen, other = pty.openpty()
        self.process = subprocess.Popen(
            command, cwd=folder, env={**environment, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
            stdin=other, stdout=other, stderr=other, start_new_session=True,
        )  # fmt: skip
        os.close(other)
        self.open = True

    def wait_for(self, words: bytes) -> None:
        """Read what is shown until these words are."""
        shown, deadline = b"", time.monotonic() + LONGEST
        while words not in shown:
            assert time.monotonic() < deadline and self.process.poll() is None, f"{words!r} is not in {shown[-2000:]!r}"
            if select.select([self.screen], [], [], 0.1)[0]:
                shown += os.read(self.screen, 1 << 16)

    def close(self) -> None:
        """As a window that is shut."""
        if self.open:
            os.close(self.screen)
            self.open = False


Open: TypeAlias = Callable[..., Terminal]


@pytest.fixture
def terminal(environment: dict[str, str], folder: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def open_one(*arguments: str, ignoring: str = "") -> Terminal:
        opened.append(Terminal(as_from_a_shell(*COMMAND, *arguments, ignoring=ignoring), folder, environment))
        return opened[-1]

    yield open_one
    for one in opened:
        one.process.kill()
        one.process.wait()
        one.close()


def shut(viewer: Terminal) -> None:
    viewer.close()


def lose_the_line(viewer: Terminal) -> None:
    """As a login shell does whose connection is gone: to the process group in the foreground."""
    os.killpg(viewer.process.pid, signal.SIGHUP)


def kill(viewer: Terminal) -> None:
    viewer.process.kill()


def steps(run: RunFolder) -> int:
    return max((event.step for event in journal.find(run.journal, StepDone)), default=0)


def is_over(run: RunFolder) -> bool:
    return not run.alive()


def check_goes_on(run: RunFolder) -> None:
    before = steps(run)
    wait_for(lambda: steps(run) > before)
    assert run.alive() and journal.find(run.journal, RunStopped) == []


def test_whatever_ends_a_viewer_the_training_goes_on(terminal: Open, folder: Path) -> None:
    run = RunFolder(folder / "runs" / "shown")
    viewer = terminal(*ENDLESS, "--name", "shown")
    try:
        viewer.wait_for(b"running")
        shut(viewer)
        assert viewer.process.wait(LONGEST) == -signal.SIGHUP
        check_goes_on(run)
        for end, ignoring, status in (
            (shut, "", -signal.SIGHUP),
            (shut, "SIGHUP", -signal.SIGHUP),  # below nohup: a console without a terminal must not stay
            (lose_the_line, "", -signal.SIGHUP),
            (kill, "", -signal.SIGKILL),
        ):
            viewer = terminal("attach", "shown", ignoring=ignoring)
            viewer.wait_for(b"shown")
            end(viewer)
            assert viewer.process.wait(LONGEST) == status
            check_goes_on(run)
    finally:
        if run.alive():
            os.kill(worker_of(run), signal.SIGKILL)


def test_a_foreground_run_saves_and_ends_with_its_viewer_however_that_ends(watched: Watch) -> None:
    """The worker sees the end of a pipe that only its parent holds."""
    statuses = {signal.SIGHUP: -1, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
    with ThreadPoolExecutor(len(statuses)) as pool:
        started = list(pool.map(lambda number: watched(f"foreground-{number.name}", "--foreground"), statuses))
    for (number, status), (process, _) in zip(statuses.items(), started, strict=True):
        process.send_signal(number)
        process.communicate(timeout=LONGEST)
        assert process.returncode == status
    for number, (_, run) in zip(statuses, started, strict=True):
        wait_for(partial(is_over, run))
        (end,) = journal.find(run.journal, RunStopped)
        assert end.signal == (number if number == signal.SIGINT else signal.SIGTERM)
        assert checkpoint.position(checkpoint.listing(run.checkpoints)[-1].name)[0] == end.step
