"""``scalars`` as its users meet it."""

from __future__ import annotations

import csv
import io
import math
import shlex
import subprocess
from pathlib import Path

import pytest

from core import events as e
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, Cli, one_line
from tests.tui import runs as made


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs").mkdir()
    return made.make(tmp_path / "runs", "demo", made.diverged())


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_scalar_of_every_moment(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    process = cli("scalars", "demo", cwd=tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    rows = table(process.stdout)
    assert [sum(row["kind"] == kind for row in rows) for kind in ("step", "validation", "epoch")] == [35, 3, 3]
    assert rows[0]["step"] == "10" and float(rows[0]["train.learning_rate"]) == 0.001
    assert math.isnan(float(rows[-1]["train.loss"])) and rows[-1]["step"] == "350"
    (last,) = [row for row in rows if row["kind"] == "validation" and row["epoch"] == "3"]
    assert float(last["val.loss"]) == pytest.approx(made.validation(3).metrics["val.loss"])


def test_only_some_into_a_file(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    assert cli("scalars", "demo", "--what", "val.*, train.loss", "-o", "x.csv", cwd=tmp_path).stdout == "x.csv\n"
    rows = table((tmp_path / "x.csv").read_text("utf-8"))
    assert list(rows[0])[7:] == ["train.loss", "val.loss", "val.accuracy"]
    assert "exists already" in one_line(cli("scalars", "demo", "-o", "x.csv", cwd=tmp_path))
    assert table((tmp_path / "x.csv").read_text("utf-8")) == rows


@pytest.mark.parametrize("output", ["-", "x.csv"])
def test_a_scalar_that_there_is_not(cli: Cli, run: RunFolder, tmp_path: Path, output: str) -> None:
    line = one_line(cli("scalars", "demo", "--what", "train.los", "-o", output, cwd=tmp_path))
    assert "no such scalar; there are: train.loss, train.accuracy" in line
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_reader_that_leaves(run: RunFolder, environment: dict[str, str], tmp_path: Path) -> None:
    script = f"(sleep 0.2; exec {shlex.join([*COMMAND, 'scalars', 'demo'])}) | true; exit ${{PIPESTATUS[0]}}"
    process = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stderr) == (141, "")


def test_names_that_a_spreadsheet_would_take_for_a_formula(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    metrics: e.Metrics = {"=1+1": -0.5, "a\x1b[31m,b": 2.0}
    made.make(tmp_path / "runs", "demo", [made.started(), e.StepDone(step=1, metrics=metrics)])
    (row,) = table(cli("scalars", "demo", cwd=tmp_path).stdout)
    assert row["'=1+1"] == "-0.5" and row["a\\x1b[31m,b"] == "2.0"


def test_a_run_that_has_said_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    made.make(tmp_path / "runs", "demo", [])
    assert table(cli("scalars", "demo", cwd=tmp_path).stdout) == []
