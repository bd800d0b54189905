"""A far machine: a program in the place of ssh that runs the command here, whose link can be cut."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core import events as e
from core.remote.address import FAR, SSH
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter
from tests.tui.runs import epochs, started

PROGRAM = """#!/bin/sh
if [ -e {folder}/down ]; then cat {folder}/down >&2; exit 255; fi
while [ "$1" != -- ]; do echo "$1" >> {folder}/options; shift; done
echo $$ >> {folder}/pids
exec sh -c "exec $3"
"""


class Far:
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        program = folder / "ssh"
        program.write_text(PROGRAM.format(folder=shlex.quote(str(folder))))
        program.chmod(0o755)
        patch.setenv(SSH, shlex.quote(str(program)))
        patch.setenv(FAR, f"{shlex.quote(sys.executable)} -P -m tui_trainer")

    @property
    def calls(self) -> list[int]:
        """Of the program, by their processes."""
        path = self.folder / "pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def cut(self) -> None:
        os.kill(self.calls[-1], signal.SIGKILL)

    def down(self, down: bool, why: str = "ssh: connect to host far port 22: No route to host") -> None:
        """Whether it can be reached, from the next call on."""
        if down:
            (self.folder / "down").write_text(f"{why}\n")
        else:
            (self.folder / "down").unlink()


def make_run(path: Path, trained: int = 2) -> RunFolder:
    """On the far machine, trained for so many epochs."""
    made = RunFolder(path)
    made.create(RunFile(id="one", name="demo", recipe={"name": "quickstart"}))
    say(made, started(), *epochs(trained))
    return made


def say(run: RunFolder, *told: e.Event) -> None:
    with JournalWriter(run.journal) as journal:
        journal.extend(told)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
