"""A training of another library in a process of its own, steered from outside by the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from core.view.state import State
from core.view.summary import summarise

TRAINING = 170.0
"""Seconds that the library may take to start, or the training to end."""


class Training:
    def __init__(self, process: subprocess.Popen[str], run: RunFolder) -> None:
        self.process, self.run = process, run

    def tell(self, *arguments: str) -> str:
        """What the command line says; it has to have succeeded."""
        verb, *rest = arguments
        command = [sys.executable, "-P", "-m", "tui_trainer", verb, self.run.name, *rest, "--runs", str(self.run.path.parent)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TRAINING)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def wait_for(self, condition: Callable[[State], bool]) -> State:
        deadline = time.monotonic() + TRAINING
        while not condition(state := self.state):
            ended = self.process.poll()
            assert ended is None and time.monotonic() < deadline, (ended, state, self.process.communicate()[1])
            time.sleep(0.1)
        return state

    def end(self) -> State:
        _, err = self.process.communicate(timeout=TRAINING)
        assert self.process.returncode == 0, err
        assert "watch: tui-trainer attach" in err
        return self.state

    @property
    def state(self) -> State:
        return summarise(self.run)

    def answers(self) -> dict[str, str]:
        """By command."""
        found = journal.find(self.run.journal, e.CommandAccepted, e.CommandRejected)
        return {
            item.command: item.note if isinstance(item, e.CommandAccepted) else f"rejected: {item.reason}" for item in found
        }


@contextmanager
def training(program: str, folder: Path, launcher: Sequence[str] = (sys.executable,)) -> Iterator[Training]:
    """``program`` makes a run of the name ``seen``."""
    script = folder / "training.py"
    script.write_text(program)
    process = subprocess.Popen([*launcher, str(script)], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Training(process, RunFolder(folder / "runs" / "seen"))
    finally:
        process.kill()
        process.communicate()


def steer(seen: Training) -> None:
    """Paused, gone on, half the rate, saved and stopped, as a person would."""
    seen.wait_for(lambda state: state.step > 2 and "train.learning_rate" in state.metrics)
    seen.tell("pause")
    paused = seen.wait_for(lambda state: state.status == "paused")
    time.sleep(1.0)
    assert seen.state.step == paused.step, "it trains no step while it is paused"
    seen.tell("continue")
    before = seen.wait_for(lambda state: state.status == "running" and state.step > paused.step)
    seen.tell("tell", f"learning-rate={before.metrics['train.learning_rate'] / 2!r}")
    halved = before.metrics["train.learning_rate"] / 2
    seen.wait_for(lambda state: abs(state.metrics["train.learning_rate"] - halved) < 0.05 * halved)
    seen.tell("save", "--name", "good")
    seen.wait_for(lambda state: any(saved.name == "good" for saved in state.checkpoints))
    seen.tell("stop")


def check(seen: Training, state: State) -> None:
    """Of one that was steered so."""
    assert (state.status, state.ending) == ("stopped", "stopped on request")
    assert state.program == "training.py" and not seen.run.alive()
    assert state.metrics["train.loss"] > 0
    answers = seen.answers()
    assert set(answers) == {"Pause", "Continue", "SetLearningRate", "Save", "Stop"}
    assert not any(note.startswith("rejected") for note in answers.values()), answers
    assert list(seen.run.inbox.iterdir()) == []
