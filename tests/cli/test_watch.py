"""``watch`` from a shell: what stands there now, lines and JSON as it goes on, and wrong use."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import COMMAND, Cli, one_line
from tests.watching.written import event_file, scalars


def logged(folder: Path) -> Path:
    event_file(folder / "logs" / "a", scalars(range(10), {"train/loss": 1.0, "val/loss": 2.0}))
    return folder / "logs"


def test_how_it_stands(cli: Cli, tmp_path: Path) -> None:
    logged(tmp_path)
    (tmp_path / "logs" / "b.csv").write_text("epoch,val_acc\n1,0.5\n2,0.75")
    done = cli("watch", "logs", "--once", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = ([" ".join(line.split()) for line in part.splitlines()] for part in done.stdout.split("\n\n"))
    assert {"run a", "at step 9", "val.loss 2.0000", "best 2.0000 (val.loss) at step 0"} <= set(first)
    assert {"run b", "at step 2, epoch 2", "best 75.00 % (val.accuracy) at epoch 2"} <= set(second)
    document = json.loads(cli("watch", "logs", "--once", "--json", cwd=tmp_path).stdout)
    assert [(item["name"], item["origin"], item["step"]) for item in document] == [("a", "TensorBoard", 9), ("b", "CSV", 2)]
    assert document[0]["metrics"] == {"train.loss": 1.0, "val.loss": 2.0}
    assert document[0]["path"] == str(tmp_path / "logs" / "a")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_it_is_followed_until_it_is_interrupted(environment: dict[str, str], tmp_path: Path, form: tuple[str, ...]) -> None:
    logs = logged(tmp_path)
    command = [*COMMAND, "watch", "logs", *form]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = _until(process.stdout, '"step":9' if form else "step 9")
        event_file(logs / "a", scalars(range(10, 12), {"train/loss": 0.5, "val/loss": 1.5}))
        said += _until(process.stdout, '"step":11' if form else "step 11")
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    if form:
        assert all(json.loads(line)["watched"] == "a" for line in said)
    else:
        assert said[0] == f"TensorBoard, {tmp_path}/logs/a\n"
        assert said[-1].startswith("step 11  train.loss 0.5000  val.loss 1.5000")


def _until(stream: IO[str], words: str) -> list[str]:
    said = list[str]()
    while not said or words not in said[-1]:
        said.append(stream.readline())
        assert said[-1], said
    return said


def test_an_empty_folder_is_waited_for_and_that_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    command, pipe = [*COMMAND, "watch", "."], subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None and process.stderr is not None
        assert "nothing to watch yet; waiting for events.out.tfevents.*" in process.stderr.readline()
        logged(tmp_path)
        _until(process.stdout, "step 9")
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130


def test_wrong_use_is_one_line(cli: Cli, tmp_path: Path) -> None:
    assert "nowhere: not found" in one_line(cli("watch", "nowhere", cwd=tmp_path))
    assert "nothing to watch; looked for events.out.tfevents.*" in one_line(cli("watch", ".", "--once", cwd=tmp_path))
    (tmp_path / "notes.txt").write_text("hello\n")
    assert "none of what watch reads" in one_line(cli("watch", "notes.txt", cwd=tmp_path))
