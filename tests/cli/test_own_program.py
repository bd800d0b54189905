"""What the command line says of a run that its own program trains."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from core import events as e
from core.run.folder import RunFolder
from tests.cli.conftest import Cli, one_line
from tui_trainer.cli.steer import absolute

TOLD = (
    e.RunStarted(name="mine", program="train.py", epochs=4, monitor="val.loss"),
    e.EpochStarted(epoch=1),
    e.StepDone(step=5, epoch=1, steps=5, seconds=0.5, metrics={"train.loss": 1.0, "train.learning_rate": 0.25}),
    e.CheckpointSaved(checkpoint="step-00000005-own", step=5, epoch=1),
    e.RunStopped(step=5, epoch=1, reason="stopped on request", weights="checkpoints/step-00000005-own"),
)


@pytest.fixture
def run(make_run: Callable[[str, Sequence[e.Event]], RunFolder]) -> RunFolder:
    made = make_run("mine", TOLD)
    described = msgspec.structs.replace(made.read(), recipe={}, program="train.py", config={"width": 64})
    made.run_file.write_bytes(msgspec.json.encode(described))
    (made.checkpoints / "step-00000005-own").mkdir()
    (made.checkpoints / "step-00000005-own" / "w").write_bytes(b"123")
    return made


def test_it_is_gone_on_with_by_its_program(run: RunFolder, cli: Cli, tmp_path: Path) -> None:
    way_on = "run train.py again, with Run(..., resume='mine')"
    assert one_line(cli("resume", "mine", cwd=tmp_path)).endswith(way_on)
    assert one_line(cli("pause", "mine", cwd=tmp_path)).endswith(way_on)
    shown = cli("show", "mine", cwd=tmp_path).stdout
    assert way_on in shown and "1 of 4, step 5\n" in shown and "tui-trainer resume" not in shown
    assert json.loads(cli("show", "mine", "--json", cwd=tmp_path).stdout)["program"] == "train.py"


def test_its_checkpoints_are_its_programs(run: RunFolder, cli: Cli, tmp_path: Path) -> None:
    verified = cli("verify", "mine", cwd=tmp_path)
    assert verified.returncode == 0 and "its own program's, 3 bytes, not looked into" in verified.stdout
    assert "no checkpoint" in one_line(cli("evaluate", "mine", cwd=tmp_path))


def test_factors_and_differences_go_by_what_it_has_told(run: RunFolder) -> None:
    assert absolute("learning-rate=x0.5", run) == "learning-rate=0.125"
    assert absolute("epochs=+5", run) == "epochs=9"
