"""The command line as its users meet it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from core import events as e
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter

Cli: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = (sys.executable, "-P", "-m", "tui_trainer")
SMALL = ("--set", "data.limit=40", "--threads", "1")
"""Makes a real training last a second or two beside the worker's start."""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Without what a developer's shell or a CI system may have set."""
    own = ("CI", "NO_COLOR", "TUI_TRAINER_RUNS", "TUI_TRAINER_DATA")
    cleared = {name: value for name, value in os.environ.items() if name not in own}
    return {**cleared, "TUI_TRAINER_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="session")
def cli(environment: dict[str, str]) -> Cli:
    """Run a command to its end: ``cli("runs", cwd=tmp_path)``."""

    def run(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=cwd,
            env=environment | (env or {}),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    return run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[[str, Sequence[e.Event]], RunFolder]:
    """A made-up run under ``runs/``, with these events in its journal."""

    def make(name: str, events: Sequence[e.Event]) -> RunFolder:
        run = RunFolder(tmp_path / "runs" / name)
        run.create(RunFile(name=name, created=1000.0, recipe={"name": "quickstart"}))
        with JournalWriter(run.journal) as journal:
            for event in events:
                journal.append(event)
        return run

    return make


def one_line(process: subprocess.CompletedProcess[str]) -> str:
    """The single line on the standard error of a command that was used wrongly."""
    assert process.returncode == 2, process
    lines = process.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("tui-trainer: "), process.stderr
    assert process.stdout == ""
    return lines[0]
