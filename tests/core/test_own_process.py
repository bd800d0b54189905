"""A program with a run of its own, as a process: what it imports, how it is ended from outside, what is in its way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from core import commands
from core import events as e
from core.run import inbox, journal
from core.run.folder import RunFolder
from core.run.own import Run
from core.view.state import State
from core.view.summary import summarise

ENDLESS = """
import time, tui_trainer
with tui_trainer.Run("seen", save=lambda folder: (folder / "w").write_text("1")) as run:
    for step in run.steps():
        time.sleep(0.01)
        run.log(loss=1.0)
"""


class Program:
    def __init__(self, text: str, folder: Path) -> None:
        (folder / "train.py").write_text(text)
        self.process = subprocess.Popen(
            [sys.executable, "train.py"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.run = RunFolder(folder / "runs" / "seen")

    @property
    def state(self) -> State:
        return summarise(self.run)

    def end(self) -> str:
        """What it says on its standard error."""
        return self.process.communicate(timeout=100)[1]

    def wait_for_steps(self) -> None:
        deadline = time.monotonic() + 100
        while not self.state.step:
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Program]:
    program = Program(ENDLESS, tmp_path)
    program.wait_for_steps()
    yield program
    program.process.kill()
    program.process.communicate()


def test_it_imports_neither_torch_nor_a_screen(tmp_path: Path) -> None:
    text = """
import sys, tui_trainer
before = {name.partition(".")[0] for name in sys.modules}
with tui_trainer.Run("seen") as run:
    for step in run.steps(range(2)):
        run.log(loss=1.0)
    run.validated(loss=1.0)
after = {name.partition(".")[0] for name in sys.modules}
heavy = {"torch", "numpy", "textual", "rich", "typer", "plotext"}
assert not before & (heavy | {"core", "msgspec"}) and not after & heavy, (before & heavy, after & heavy)
"""
    program = Program(text, tmp_path)
    assert program.end() == "tui-trainer: watch: tui-trainer attach seen\n"
    assert program.process.returncode == 0 and program.state.status == "finished"
    assert program.state.program == "train.py"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_then_ends_the_program_as_it_would_have(number: signal.Signals, endless: Program) -> None:
    endless.process.send_signal(number)
    err = endless.end()
    assert endless.process.returncode == -number and ("KeyboardInterrupt" in err) == (number == signal.SIGINT)
    state = endless.state
    assert (state.status, state.ending) == ("stopped", f"signal {number:d}")
    assert (endless.run.path / state.weights / "w").is_file()


def test_a_killed_program_is_lost_and_can_be_gone_on_with(endless: Program, tmp_path: Path) -> None:
    inbox.send(endless.run, commands.Save())
    deadline = time.monotonic() + 60
    while not journal.find(endless.run.journal, e.CheckpointSaved):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    endless.process.kill()
    endless.process.wait()
    (saved,) = journal.find(endless.run.journal, e.CheckpointSaved)
    assert not endless.run.alive()
    text = ENDLESS.replace('Run("seen"', 'Run("seen", resume=True').replace("run.steps()", "run.steps(range(3))")
    again = Program(text, tmp_path)
    again.end()
    (resumed,) = journal.find(again.run.journal, e.RunResumed)
    assert (resumed.step, resumed.checkpoint) == (saved.step, saved.checkpoint)
    assert (again.state.status, again.state.step) == ("finished", saved.step + 3)


def test_a_second_trainer_of_a_run_is_refused(endless: Program, tmp_path: Path) -> None:
    second = Program(ENDLESS.replace('Run("seen"', 'Run("seen", resume="seen"'), tmp_path)
    assert "run 'seen' is being trained already" in second.end()
    assert endless.process.poll() is None


@pytest.mark.parametrize(
    ("last", "status", "ending"),
    [("", "stopped", "the program ended without closing its run"), ("1 / 0", "failed", "ZeroDivisionError: division by zero")],
)
def test_a_run_that_is_left_open_ends_with_its_program(last: str, status: str, ending: str, tmp_path: Path) -> None:
    text = f"""
import tui_trainer
run = tui_trainer.Run("seen")
for step in run.steps(range(3)):
    run.log(loss=1.0)
{last}
"""
    program = Program(text, tmp_path)
    program.end()
    state = program.state
    assert (state.status, state.ending, state.step) == (status, ending, 3)


def test_a_forked_child_neither_ends_the_run_nor_holds_it(tmp_path: Path) -> None:
    text = """
import os, signal, sys, time, tui_trainer
with tui_trainer.Run("seen") as run:
    for step in run.steps(range(3)):
        run.log(loss=1.0)
        if step == 1:
            if (child := os.fork()) == 0:
                time.sleep(60)
                sys.exit(0)
os.kill(child, signal.SIGTERM)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
"""
    program = Program(text, tmp_path)
    assert "Traceback" not in program.end()
    assert program.process.returncode == 0 and program.state.status == "finished" and not program.run.alive()


@pytest.mark.parametrize("path", ["core.py", "core/__init__.py"])
def test_a_foreign_core_is_one_line_that_says_what_to_do(path: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("raise SystemExit('the foreign core was run')")
    lines = Program(ENDLESS, tmp_path).end().splitlines()
    assert lines[-1].startswith("ImportError: tui-trainer: ") and lines[-1].endswith(
        "hides tui-trainer's own package 'core', and one program cannot have both: give it another name to use tui_trainer in "
        "this program"
    )


def test_in_a_notebook_an_interrupt_stays_what_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The one thing that is different there: who asks Python finds the kernel's package loaded."""
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGINT)
    run = Run("cells")
    assert signal.getsignal(signal.SIGINT) == before
    with pytest.raises(KeyboardInterrupt):
        for step in run.steps(range(5)):
            run.log(loss=1.0)
            if step == 2:
                signal.raise_signal(signal.SIGINT)
    assert not run.stopping
    run.remark("went on in the next cell")
    for _ in run.steps(range(2)):
        run.log(loss=1.0)
    run.close()
    run.close()
    assert run.folder
    state = summarise(RunFolder(run.folder))
    assert (state.status, state.step, state.program) == ("finished", 5, "a notebook")
