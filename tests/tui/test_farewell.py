"""What the console leaves on the terminal: few lines, that agree with what ``train`` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from core import commands as c
from core.events import Event, RunStopped
from core.run import inbox
from core.run.folder import RunFolder
from core.view import outcome
from core.view.fold import fold
from core.view.state import State
from core.view.summary import summarise, with_liveness
from tests.core.hostile import EVIL, lets_through
from tests.tui import runs as made
from tests.tui.screens import console, seen, settled, trained
from tui_trainer import farewell
from tui_trainer.result import result_lines

STORIES = (made.early_stopped, made.diverged, made.stopped, made.running, made.empty, made.on_test)


def state_of(run: RunFolder, alive: bool = False) -> State:
    return with_liveness(summarise(run), alive)


def test_an_ended_run_in_aligned_lines(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    assert farewell.of_run(run, state_of(run)) == [
        "run      demo",
        "result   early-stopped: val.loss did not improve for 5 epochs, test accuracy 71.28 %",
        "best     val.loss 0.7081 at epoch 9",
        "weights  runs/demo/checkpoints/step-00000900/model.safetensors",
        "next     tui-trainer evaluate demo",
    ]


@pytest.mark.parametrize("story", STORIES)
def test_the_console_and_train_agree(story: Callable[[], Iterable[Event]], runs: Path) -> None:
    run = made.make(runs, "demo", story())
    state = state_of(run)
    told, lines = "\n".join(result_lines(run, state)), farewell.of_run(run, state)
    said = {line[: farewell.LABEL].strip(): line[farewell.LABEL :] for line in lines}
    assert state.ended and len(said) == len(lines) <= 5 and list(said)[-1] == "next"
    parts = re.split(r", (?=test|validation|training)", said["result"])
    for words in (parts[0], said.get("weights", ""), said["next"]):
        assert words in told
    for number in re.findall(r"[\d.]+", f"{parts[1:]} {said.get('best', '')}"):
        assert number in told


def test_runs_that_go_on_are_few_lines_however_many(runs: Path) -> None:
    many = [(made.make(runs, f"run-{number}", made.running()), fold(State(), made.running())) for number in range(9)]
    lines = farewell.of_living(many)
    assert len(lines) == 5 and lines[3:] == ["         and 6 more", "next     come back with: tui-trainer attach run-0"]
    assert farewell.of_living([]) == []


def test_hostile_texts_stay_in_their_lines(runs: Path) -> None:
    evil = made.make(runs, "evil", made.hostile())
    for state in (State(name=EVIL, status="failed", ending=EVIL, weights=EVIL), State(name=EVIL, status="running")):
        lines = farewell.of_run(RunFolder(evil.path.parent / EVIL.replace("/", "-")), state)
        assert 2 <= len(lines) <= 5 and all("\n" not in line and lets_through(line) == [] for line in lines)


@pytest.mark.parametrize(
    ("keys", "words"), [("d", "training goes on, epoch 8/20"), ("qs", "saves, then stops"), ("^", "goes on")]
)
async def test_leaving_a_run_that_lives(keys: str, words: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made.make(runs, "demo", made.running())
    with trained(run, live=True):
        app = console(run)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot, run)
            await pilot.press("ctrl+q" if keys == "^" else keys[0])
            if keys[1:]:
                await seen(pilot, "still training")
                await pilot.press(keys[1])
        sent = [inbox.read(path) for path in inbox.waiting(run.inbox)]
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("run      demo: ") and words in first
    assert [type(command) for command in sent] == ([c.Stop] if keys == "qs" else [])


async def test_a_run_that_was_looked_at_is_told_of_from_home_too(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made.make(runs, "demo", made.stopped())
    app = console(run)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, run)
        await pilot.press("h")
        await seen(pilot, "1 run")
        await pilot.press("q")
    assert capsys.readouterr().err.splitlines() == farewell.of_run(run, state_of(run))


def test_nothing_is_said_twice() -> None:
    assert outcome.outcome(fold(State(), [RunStopped()])) == "stopped on request"
    assert outcome.outcome(fold(State(), [RunStopped(discarded=True)])) == "discarded on request"
    assert outcome.outcome(fold(State(), [RunStopped(reason="signal 15", signal=15)])) == "stopped: signal 15"
