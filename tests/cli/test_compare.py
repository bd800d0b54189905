"""``compare`` as text, as JSON, and on a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from msgspec.structs import replace

from core import events as e
from core import recipe
from core.run.folder import RunFile, RunFolder
from core.view.comparing import reach
from core.view.summary import READ_WHOLE, summarise
from tests.cli.conftest import COMMAND, Cli, one_line
from tests.cli.test_start import loaded_by
from tests.core import strategies as runs
from tests.core.hostile import EVIL, hostile, lets_through
from tests.tui import long_runs
from tests.tui.terminal import Terminal
from tui_trainer.cli.compare_report import subjects

Make: TypeAlias = Callable[[str, Sequence[e.Event]], RunFolder]


@pytest.fixture
def pair(make_run: Make) -> list[RunFolder]:
    """Three epochs to an end, and two of half the pace and another seed that nobody trains any more."""
    test = runs.validated(3, 0.4, "test", checkpoint="step-00000030", hits=24)
    done = make_run("done", [*runs.healthy(3), test, e.RunFinished(step=30, epoch=3, metrics=test.metrics)])
    slower = [replace(event, seconds=1.0) if isinstance(event, e.StepDone) else event for event in runs.healthy(2)]
    other = make_run("other", slower)
    _with_recipe(done)
    _with_recipe(other, "seed=5", "optimizer.lr=0.25")
    return [done, other]


def _with_recipe(run: RunFolder, *changes: str) -> None:
    table = recipe.to_table(recipe.load("quickstart", changes))
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name=run.name, created=1000.0, recipe=table)))


def test_in_words(cli: Cli, pair: list[RunFolder], tmp_path: Path) -> None:
    process = cli("compare", "done", "other", cwd=tmp_path)
    assert process.returncode == 0 and process.stderr == ""
    lines = process.stdout.splitlines()
    assert lines[1].split() == [
        "1", "done", "finished", "val.loss", "0.3333*", "(epoch", "3)", "80.00", "%", "-", "0.0667*", "3/4", "15", "s", "200*",
        "4.26M", "0",
    ]  # fmt: skip
    assert lines[2].split()[:6] == ["2", "other", "lost", "val.loss", "0.5000", "(epoch"]
    assert [line.split() for line in lines if line.startswith(("seed", "optimizer"))] == [
        ["seed", "0", "5"], ["optimizer.lr", "0.005", "0.25"]
    ]  # fmt: skip
    assert any(line.startswith("same in all: ") for line in lines)
    assert [line.split() for line in lines if line.startswith("cat")] == [["cat", "66.7", "66.7", "+0.0"], ["cat", "80.0", "-"]]
    assert "AT EPOCH 2.00" in process.stdout


@pytest.mark.parametrize(("by", "place", "losses"), [("step", 20, [0.5, 0.5]), ("time", 15.0, [1 / 3, 1.0])])
def test_as_json(cli: Cli, pair: list[RunFolder], tmp_path: Path, by: str, place: float, losses: list[float]) -> None:
    found = json.loads(cli("compare", "done", "other", "--json", "--by", by, cwd=tmp_path).stdout)
    assert [(run["name"], run["state"], run["seed"]) for run in found["runs"]] == [
        ("done", "finished", 0),
        ("other", "lost", 5),
    ]
    assert found["runs"][0]["best_in"] == ["best", "train_loss", "images_per_second"] and found["runs"][1]["best_in"] == []
    assert found["recipes"]["differences"] == {"seed": ["0", "5"], "optimizer.lr": ["0.005", "0.25"]}
    assert found["classes"]["test"]["by_class"]["cat"] == [0.8, None]
    assert found["classes"]["validation"]["to_the_first"]["cat"] == [0.0, 0.0]
    assert (found["at_the_same"]["by"], found["at_the_same"]["place"]) == (by, place)
    assert found["at_the_same"]["metrics"]["val.loss"] == pytest.approx(losses)


def test_nan_travels_as_a_word(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_run(name, [runs.started(), runs.step_done(1, "nan")])
    found = json.loads(cli("compare", "a", "b", "--json", cwd=tmp_path).stdout)
    assert [run["train_loss"] for run in found["runs"]] == ["nan", "nan"]
    assert "NaN" in cli("compare", "a", "b", cwd=tmp_path).stdout


def test_runs_that_have_said_nothing(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_run(name, [])
    text = cli("compare", "a", "b", cwd=tmp_path).stdout
    assert "recipes: no differences" in text and "AT " not in text
    assert json.loads(cli("compare", "a", "b", "--json", cwd=tmp_path).stdout)["at_the_same"] is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["done"], "2 to 8 runs, 1 given"),
        (["done", "other"] * 5, "2 to 8 runs, 10 given"),
        (["done", "runs/done"], "run 'runs/done' is named twice"),
        (["done", "nosuch"], "run 'nosuch' not found in runs; the runs there:"),
        ([], "Missing argument 'RUN'"),
        (["done", "other", "--by", "day"], "--by"),
    ],
)
def test_wrong_use_is_one_line(cli: Cli, pair: list[RunFolder], tmp_path: Path, names: list[str], words: str) -> None:
    assert words in one_line(cli("compare", *names, cwd=tmp_path))


def test_other_runs_folders_and_paths(cli: Cli, pair: list[RunFolder], tmp_path: Path) -> None:
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    for arguments in (("done", "other", "--runs", "elsewhere"), ("--plain", "elsewhere/done", "elsewhere/other")):
        assert cli("compare", *arguments, cwd=tmp_path).stdout.startswith("RUN ")


def test_it_loads_no_torch_and_no_screen(pair: list[RunFolder], tmp_path: Path, environment: dict[str, str]) -> None:
    assert loaded_by("compare", "done", "other", cwd=tmp_path, env=environment) == set()


def test_hostile_texts_are_written_out(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run = make_run(name, list(map(hostile, runs.healthy(2))))
        run.run_file.write_bytes(msgspec.json.encode(RunFile(name=name, recipe={EVIL: name, "name": EVIL})))
    for options in ((), ("--json",)):
        text = cli("compare", "a", "b", *options, cwd=tmp_path).stdout
        assert "evil" in text and lets_through(text) == []


def test_a_long_journal_is_compared_whole(tmp_path: Path) -> None:
    """A list looks at its two ends alone, where most of the time that was trained is missing."""
    run = long_runs.make(tmp_path / "long", 60_000)
    assert run.journal.stat().st_size > READ_WHOLE
    (found,) = subjects([run])
    assert found.state.step == 60_000 and len(found.state.clock.bins) > 400
    assert reach(found.state, "time") == found.state.trained_seconds > summarise(run).trained_seconds


def test_on_a_terminal_the_console_opens(pair: list[RunFolder], tmp_path: Path, environment: dict[str, str]) -> None:
    names = [str(run.path) for run in pair]
    with Terminal([*COMMAND, "compare", *names, "--by", "step"], 100, 30, environment) as terminal:
        terminal.seen(b"by steps")
        pressed = terminal.press(b"2")
        terminal.seen(b"the best of its kind", pressed)
        pressed = terminal.press(b"h")
        terminal.seen(b"New run", pressed)
