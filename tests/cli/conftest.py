"""The command line as its users meet it: a process of its own, in a folder of its own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from core import events as e
from core.run import journal
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter

Cli: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = (sys.executable, "-P", "-m", "tui_trainer")
SMALL = ("--set", "data.limit=40", "--threads", "1")
"""Makes a real training last a second or two beside the worker's start."""
ENDLESS = ("train", "quickstart", "--epochs", "100000", "--set", "early_stopping.patience=100000", *SMALL)
Begin: TypeAlias = Callable[..., "subprocess.Popen[str]"]
Watched: TypeAlias = "tuple[subprocess.Popen[str], RunFolder]"
Watch: TypeAlias = Callable[..., Watched]
AS_FROM_A_SHELL = """
import fcntl, os, signal, sys, termios
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN if sys.argv[1] == number.name else signal.SIG_DFL)
if os.getsid(0) == os.getpid():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""With the signals as a terminal's shell has them, whatever the tests were started from (below nohup HUP is ignored, in a
script's background INT), or one of them ignored. Who leads a session has its terminal for the controlling one."""


class Told(NamedTuple):
    status: int
    out: str
    err: str


Say: TypeAlias = Callable[..., Told]


def as_from_a_shell(*command: str, ignoring: str = "") -> list[str]:
    return [sys.executable, "-c", AS_FROM_A_SHELL, ignoring, *command]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Without what a developer's shell or a CI system may have set."""
    own = ("CI", "NO_COLOR", "TUI_TRAINER_RUNS", "TUI_TRAINER_DATA")
    cleared = {name: value for name, value in os.environ.items() if name not in own}
    own_places = {
        "TUI_TRAINER_CACHE": tmp_path_factory.mktemp("cache"),
        "TUI_TRAINER_CONFIG": tmp_path_factory.mktemp("settings") / "config.toml",
        "TUI_TRAINER_STATE": Path(os.devnull),  # nothing can be kept there: no theme of before, no hints
    }
    return cleared | {name: str(path) for name, path in own_places.items()}


@pytest.fixture
def begin(environment: dict[str, str], tmp_path: Path) -> Iterator[Begin]:
    """Start a command as a shell does and come back; it is ended with the test, and so is whatever it has under way."""
    started = list[subprocess.Popen[str]]()

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            as_from_a_shell(*COMMAND, *arguments), cwd=tmp_path, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for run in (RunFolder(path) for path in (tmp_path / "runs").iterdir()):
        if run.alive():
            os.kill(worker_of(run), signal.SIGKILL)


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
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Say:
    """Do a command in this process, which may have torch already, and see what it wrote."""
    from tui_trainer import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for name in ("CI", "TUI_TRAINER_RUNS", "TUI_TRAINER_DATA"):
        monkeypatch.delenv(name, raising=False)

    def do(*arguments: str, standard_input: bytes = b"") -> Told:
        monkeypatch.setattr(sys, "argv", ["tui-trainer", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(standard_input))))
        with pytest.raises(SystemExit) as leaving:
            cli.run()
        out, err = capfdbinary.readouterr()
        return Told(int(leaving.value.code or 0), out.decode(), err.decode())

    return do


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture
def watched(environment: dict[str, str], folder: Path) -> Iterator[Watch]:
    """Start an endless training and come back once its first epoch is done; it is ended with the test."""
    started: list[Watched] = []

    def watch(name: str, *options: str) -> Watched:
        command = as_from_a_shell(*COMMAND, *ENDLESS, "--name", name, *options)
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        run = RunFolder(folder / "runs" / name)
        started.append((process, run))
        wait_for(lambda: run.journal.exists() and bool(journal.find(run.journal, e.EpochDone)))
        return process, run

    yield watch
    for process, run in started:
        process.kill()
        process.communicate()
        if run.alive():
            os.kill(worker_of(run), signal.SIGKILL)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def worker_of(run: RunFolder) -> int:
    (start,) = journal.find(run.journal, e.RunStarted)
    assert isinstance(start, e.RunStarted)
    return start.process
