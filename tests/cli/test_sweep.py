"""``sweep`` and ``sweeps`` without Optuna: wrong use, that it is missing, and what is printed of a sweep that is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from tests.cli.conftest import Cli, one_line
from tests.tui import sweeps as made
from tui_trainer.cli.sweep import _seconds, sweep

SEARCH = ("--set", "optimizer.lr=log:1e-4..1e-1")


@pytest.fixture
def without_optuna(tmp_path: Path) -> dict[str, str]:
    """Something that cannot be imported in its place, whether it is installed or not."""
    (tmp_path / "away" / "optuna").mkdir(parents=True)
    (tmp_path / "away" / "optuna" / "__init__.py").write_text("raise ImportError('away')")
    return {"PYTHONPATH": f"{tmp_path / 'away'}:{Path(__file__).parents[2]}"}


@pytest.mark.parametrize("arguments", [("quickstart", *SEARCH), ("--resume", "n3")])
def test_without_optuna_one_line_says_how_to_get_it(
    arguments: tuple[str, ...], cli: Cli, tmp_path: Path, without_optuna: dict[str, str]
) -> None:
    made.make(tmp_path / "runs", 3)
    line = one_line(cli("sweep", *arguments, cwd=tmp_path, env=without_optuna))
    assert line.endswith("a sweep needs Optuna, which is not installed; install it with: pip install 'tui-trainer[sweep]'")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["n3.sweep"]


def test_what_is_there_can_be_looked_at_without_optuna(cli: Cli, tmp_path: Path, without_optuna: dict[str, str]) -> None:
    made.make(tmp_path / "runs", 12)
    process = cli("sweep", "--show", "n12", cwd=tmp_path, env=without_optuna)
    assert process.returncode == 0 and process.stdout == cli("sweeps", "n12", cwd=tmp_path).stdout
    lines = process.stdout.splitlines()
    assert lines[0] == "sweep n12: interrupted, 12 of 20 trials of recipe quickstart" and len(lines) == 16
    assert lines[1].split()[:5] == ["TRIAL", "STATE", "VAL.ACCURACY", "EPOCH", "TRAINED"]
    assert sum("*" in line for line in lines) == 1 and "finished" in next(line for line in lines if "*" in line)
    assert lines[-2:] == [
        "what matters: optimizer.lr 71 %, optimizer.name 20 %, batch_size 6 %, optimizer.weight_decay 3 %",
        "go on with: tui-trainer sweep --resume n12",
    ]


def test_the_list_of_sweeps(cli: Cli, tmp_path: Path) -> None:
    assert "no sweeps in runs; begin one with" in cli("sweeps", cwd=tmp_path).stdout
    for trials in (0, 12):
        made.make(tmp_path / "runs", trials)
    damaged = made.make(tmp_path / "runs", 1)
    damaged.file.write_text("{")
    listed = cli("sweeps", cwd=tmp_path).stdout.splitlines()
    assert listed[0].split() == ["SWEEP", "STATE", "RECIPE", "TRIALS", "BEST", "LAST", "ACTIVITY"] and len(listed) == 4
    assert any(line.startswith("n1 ") and "damaged" in line and "restore it from a copy" in line for line in listed)
    found = {item["name"]: item for item in json.loads(cli("sweeps", "--json", cwd=tmp_path).stdout)}
    assert (found["n12"]["done"], found["n12"]["trials"], found["n12"]["best"]["state"]) == (12, 20, "finished")
    assert found["n0"]["best"] is None and "damaged" in found["n1"]["error"]


def test_one_as_json(cli: Cli, tmp_path: Path) -> None:
    made.make(tmp_path / "runs", 12)
    found = json.loads(cli("sweeps", "n12", "--json", cwd=tmp_path).stdout)
    assert [trial["number"] for trial in found["all_trials"]] == list(range(1, 13))
    assert list(found["space"]) == list(found["all_trials"][0]["values"])
    assert found["space"]["optimizer.lr"] == {
        "kind": "range", "low": 1e-4, "high": 0.1, "log": True, "step": 0.0, "whole": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "expected one of: a recipe, --resume NAME, --show NAME, --stop NAME"),
        (("quickstart", *SEARCH, "--sampler", "best"), "--sampler"),
        (("quickstart", "--set", "optimizer.lr=2..1"), "--set 'optimizer.lr=2..1': expected a smaller number"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[str, ...], words: str, cli: Cli, tmp_path: Path) -> None:
    assert words in one_line(cli("sweep", *arguments, cwd=tmp_path))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recipe": "quickstart", "resume": "x"}, "expected one of: a recipe"),
        ({"resume": "nosuch"}, "no sweeps in"),
        ({"show": "nosuch"}, "no sweeps in"),
        ({"stop": "nosuch"}, "no sweeps in"),
        ({"resume": "x", "seed": 3}, "beside it only --trials and --timeout"),
        ({"resume": "x", "sampler": "random"}, "beside it only --trials and --timeout"),
        ({"recipe": "quickstrat"}, "did you mean 'quickstart'"),
        ({"recipe": "quickstart", "timeout": "soon"}, "--timeout 'soon': expected a time, as in 90m"),
        ({"recipe": "quickstart", "json": True, "quiet": True}, "exclude each other"),
        ({"recipe": "quickstart", "detach": True, "json": True}, "exclude each other"),
        ({"recipe": "quickstart", "detach": True, "required": ["test.loss<1"]}, "exclude each other"),
        ({"recipe": "quickstart", "required": ["val.acc>1"]}, "did you mean 'val.accuracy'"),
    ],
)
def test_options_that_make_no_sense(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        sweep(**given, runs=tmp_path / "runs")
    assert words in str(told.value) and not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1.5m", 90), ("2 h", 7200), ("1d", 86_400), ("10s", 10)])
def test_times(text: str, seconds: float) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "0h", "1y", "-1h", "1e3", "1.2.3"])
def test_no_times(text: str) -> None:
    with pytest.raises(UserError, match="expected a time"):
        _seconds(text)


def test_hostile_texts_are_written_out(cli: Cli, tmp_path: Path) -> None:
    name = made.hostile(tmp_path / "runs").name
    for arguments in (("sweeps", name), ("sweeps", "--json")):
        process = cli(*arguments, cwd=tmp_path)
        assert process.returncode == 0, process.stderr
        assert "\x1b" not in process.stdout and "\u202e" not in process.stdout
