"""``import tui_trainer as tt``: trainings from a program, as functions."""

from __future__ import annotations

import doctest
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import tui_trainer as tt
from core import commands
from core.events import RunPaused
from core.run import inbox
from core.run.folder import RunFolder
from core.run.journal import find
from tests.tui import runs as made
from tests.tui.runs import CLASSES

QUICK = {"data.limit": 30, "batch_size": 10, "evaluation.tta": "none", "early_stopping.patience": 1000}
"""Thirty images."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUI_TRAINER_RUNS", raising=False)
    return tmp_path


def test_the_example_is_true(folder: Path) -> None:
    from tui_trainer import training

    assert doctest.testmod(training) == (0, 7)
    assert [run.name for run in (folder / "runs").iterdir()] == ["first"]


def test_what_is_asked_for_is_trained(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = tt.train("quickstart", epochs=1, seed=4, changes=QUICK)
    assert capfd.readouterr().out.splitlines()[-1] == f"next: tui-trainer resume {result.name} --epochs 2"
    told = RunFolder(result.path).read().recipe
    assert (told["epochs"], told["seed"], told["data"]["limit"]) == (1, 4, 30)
    assert result.weights and result.weights.is_file() and result.accuracy == result.metrics["test.accuracy"]
    assert sum(map(sum, result.confusion)) == 30 and "finished: 1 epoch" in str(result)
    assert result.accuracy_by_class == pytest.approx(tt.evaluate(result).accuracy_by_class)
    (prediction,) = tt.predict(result, [picture(folder)], top=2)
    assert len(prediction.top) == 2 and prediction.class_ in result.accuracy_by_class
    again = tt.train("quickstart", epochs=1, weights=result, changes=QUICK, runs="elsewhere", show=False)
    assert again.path.parent == Path("elsewhere") and capfd.readouterr().out == ""


def picture(folder: Path) -> Path:
    from PIL import Image

    Image.new("RGB", (40, 40), "green").save(folder / "green.png")
    return folder / "green.png"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"recipe": "quickstar"}, r"recipe 'quickstar' is not known \(did you mean 'quickstart'\?\)"),
        ({"recipe": "quickstart", "changes": {"optimizer.lr": "fast"}}, "optimizer.lr: expected a number, got a text"),
        ({"recipe": "quickstart", "changes": {"epochs": 1.5}}, "epochs: expected a whole number"),
        ({"recipe": "quickstart", "data": "nowhere"}, "nowhere"),
        ({"recipe": "quickstart", "name": "../x"}, "name '../x': expected 1 to 100 letters"),
        ({"recipe": "quickstart", "log": ["paper"]}, "log 'paper': no tracker 'paper'"),
        ({"recipe": "quickstart", "log": "paper"}, "log 'paper': no tracker 'paper'"),
        ({"recipe": "quickstart", "changes": "epochs=1.5"}, "epochs: expected a whole number"),
        ({"recipe": "quickstart", "weights": "never"}, "run 'never' not found"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(folder: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(tt.UserError, match=words) as error:
        tt.train(**asked)
    assert "\n" not in str(error.value) and not list(folder.glob("runs/*"))


def test_data_that_are_damaged_leave_nothing_either(folder: Path) -> None:
    """What only the worker finds, which has a run by then."""
    for name in ("a", "b"):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            picture(folder).rename(folder / "pictures" / name / f"{number}.png")
    damaged = folder / "pictures" / "b" / "7.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    with pytest.raises(tt.UserError, match=r"7\.png"):
        tt.train("quickstart", data=folder / "pictures", show=False)
    assert not list(folder.glob("runs/*"))


def test_a_training_that_fails_says_so_with_what_it_had(folder: Path) -> None:
    with pytest.raises(tt.TrainingFailed, match="nan: ") as failed:
        tt.train("quickstart", changes={**QUICK, "optimizer.lr": 1e30, "optimizer.name": "sgd"}, name="nan", show=False)
    assert failed.value.kind == "diverged" and failed.value.result.status == "failed"
    assert tt.result_of("nan") == failed.value.result


def test_a_finished_run_stays_as_it_is(folder: Path) -> None:
    made.make(folder / "runs", "demo", made.early_stopped())
    result = tt.result_of("last")
    before = {path: path.stat().st_mtime_ns for path in result.path.rglob("*")}
    assert tt.resume(result) == result and list(result.accuracy_by_class) == list(CLASSES)
    assert before == {path: path.stat().st_mtime_ns for path in result.path.rglob("*")}


def test_what_changed_can_be_allowed(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            picture(folder).rename(folder / "pictures" / name / f"{number}.png")
    small = {"batch_size": 10, "evaluation.tta": "none"}
    tt.train("quickstart", data=folder / "pictures", epochs=1, changes=small, name="mine", show=False)
    (folder / "pictures" / "a" / "0.png").unlink()
    with pytest.raises(tt.UserError, match="--allow-change all: expected recipe"):
        tt.resume("mine", epochs=2, allow_change="all", show=False)
    assert tt.resume("mine", epochs=2, allow_change="data", show=False).epoch == 2


def test_what_there_is_is_offered_before_it_has_been_used() -> None:
    code = "import sys, tui_trainer as tt; print({*tt.__all__} <= {*dir(tt)}, 'torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(tt.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


PROGRAM = """
import tui_trainer as tt
try:
    tt.train("quickstart", epochs=500, name="long", changes={"data.limit": 30, "early_stopping.patience": 1000}, show=False)
except KeyboardInterrupt:
    print("interrupted", tt.result_of("long").status)
"""


def test_ctrl_c_saves_and_is_an_interrupt(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(tt.__file__).parents[1])}
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True)
    run = RunFolder(folder / "runs" / "long")
    while not (run.checkpoints / "step-00000000").exists():
        assert program.poll() is None
    program.send_signal(signal.SIGINT)
    assert program.communicate()[0] == "interrupted stopped\n" and not run.alive()


def test_a_thread_trains_and_another_program_steers(folder: Path) -> None:
    results = []

    def train() -> None:
        results.append(tt.train("quickstart", epochs=500, name="steered", changes=QUICK, show=False))

    thread = threading.Thread(target=train)
    thread.start()
    run = RunFolder(folder / "runs" / "steered")
    while not (run.checkpoints / "step-00000000").exists():
        assert thread.is_alive()
    inbox.send(run, commands.Pause())
    while not find(run.journal, RunPaused):
        assert thread.is_alive()
    inbox.send(run, commands.Stop())
    thread.join(60)
    assert results[0].status == "stopped"


@pytest.mark.others
def test_other_tools_have_it_when_it_returns(folder: Path) -> None:
    result = tt.train("quickstart", epochs=1, changes=QUICK, log=["tensorboard"], show=False)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(result.path / "tensorboard"))
    events.Reload()
    assert events.Scalars("test/accuracy")[-1].value == pytest.approx(result.accuracy)
