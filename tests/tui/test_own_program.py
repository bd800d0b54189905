"""A run that its own program trains, on every page, of the lengths that may not be known; what only that program can do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import commands
from core import events as e
from core.events import Event
from core.run.folder import RunFile, RunFolder
from tests.tui import runs as made
from tests.tui.screens import console, seen, settled, text_of, trained, until
from tests.tui.test_run_keys import notices, told
from tui_trainer.app import TrainerApp

PAGES = "12345"


def make(runs: Path, events: Iterator[Event]) -> RunFolder:
    run = RunFolder(runs / "mine")
    config = {"width": 64, "[bold]\x1b[31m": "evil"}
    run.create(RunFile(name="mine", created=made.NOW - 3600, program="train[/].py", config=config))
    made.say(run, events)
    return run


def training(epochs: int = 0, steps: int = 0, classes: bool = False) -> Iterator[Event]:
    """A regression, a language model or a classifier, as far as ``Run`` was told."""
    yield e.RunStarted(
        name="mine", program="train[/].py", epochs=epochs, steps_per_epoch=steps, monitor="val.loss", model="Net",
        deterministic=False,
    )  # fmt: skip
    yield e.EpochStarted(epoch=1)
    for step in range(10, 110, 10):
        metrics: e.Metrics = {"train.loss": 3 * math.exp(-step / 40), "train.perplexity": 9.0, "train.learning_rate": 0.01}
        metrics |= {"train.accuracy": step / 200} if classes else {}
        yield e.StepDone(step=step, epoch=1, steps=10, seconds=0.25, metrics=metrics)
    yield e.CheckpointSaved(checkpoint="step-00000100-own", step=100, epoch=1, reason="asked")
    counts = ((5, 1), (2, 4)) if classes else ()
    yield e.ValidationDone(
        epoch=1, step=100, metrics={"val.loss": 1.5, **({"val.accuracy": 0.75} if classes else {})}, confusion=counts,
        correct=(5, 4) if classes else (), images=(6, 6) if classes else (), classes=("cat", "dog") if classes else (),
    )  # fmt: skip
    yield e.EarlyStoppingUpdated(enabled=False, metric="val.loss", value=1.5, best=1.5, best_epoch=1, best_step=100, epoch=1)


def ended(event: Event) -> Iterator[Event]:
    yield from training()
    yield event


@pytest.mark.parametrize(
    ("epochs", "steps", "classes", "size"),
    [(0, 0, False, (80, 24)), (0, 500, False, (120, 40)), (7, 0, True, (200, 60)), (7, 500, True, (80, 24))],
)
async def test_every_page_copes(epochs: int, steps: int, classes: bool, size: tuple[int, int], runs: Path) -> None:
    run = make(runs, training(epochs, steps, classes))
    with run.hold():
        async with console(run).run_test(size=size) as pilot:
            await settled(pilot, run)
            shown = {}
            for page in PAGES:
                await pilot.press(page)
                await settled(pilot, run)
                shown[page] = text_of(pilot)
    assert ("epoch 1/7" if epochs else "epoch 1") in shown["1"] and "val" in shown["1"]
    assert ("accuracy" in shown["2"]) == classes and "perplexity" in shown["2"]
    assert "steps/s" in shown["1"] and ("not logged by its program" in shown["1"]) == (not classes)
    assert ("cat" in shown["1"] + shown["3"]) == classes
    assert "train[/].py" in shown["5"] and "width = 64" in shown["5"] and "its own program" in shown["5"]
    assert "images/s" not in "".join(shown.values()) and "\x1b" not in shown["5"]


async def test_what_only_its_program_can_do_says_so(runs: Path) -> None:
    run = make(runs, training(7, 500))
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            await settled(pilot, run)
            await pilot.press("c")
            await seen(pilot, "Learning rate x0.5")
            menu = text_of(pilot).splitlines()
            await pilot.press("h")
            await seen(pilot, "learning rate 0.005 sent")
            await pilot.press("c")
            await seen(pilot, "Learning rate x0.5")
            await pilot.press("e")
            await seen(pilot, "7 now. How many")
            await pilot.press(*"+3", "enter")
            await until(pilot, lambda: len(told(run)) >= 2)
            sent = told(run)
    assert [commands.SetLearningRate, commands.SetEpochs] == [type(command) for command in sent]
    assert isinstance(sent[0], commands.SetLearningRate) and sent[0].value == pytest.approx(0.005)
    assert isinstance(sent[1], commands.SetEpochs) and sent[1].value == 10
    refused = [line for line in menu if "its own program's affair: train[/].py" in line]
    assert len(refused) == 4, "validate, patience, early stopping, rewind"


@pytest.mark.parametrize(
    "event", [e.RunStopped(reason="stopped on request"), e.RunFailed(kind="diverged", reason="train.loss is NaN"), None]
)
async def test_an_ended_one_is_gone_on_with_by_its_program_alone(event: Event | None, runs: Path) -> None:
    run = make(runs, ended(event) if event else training())  # without an end and a trainer: lost
    with trained(run, live=False):
        async with console(run).run_test(size=(120, 40)) as pilot:
            await settled(pilot, run)
            await seen(pilot, "run train[/].py again, with Run(...,")
            assert "tui-trainer resume" not in text_of(pilot)
            await pilot.press("r")
            await pilot.pause(0.2)
    assert not run.log.exists() and not run.reserve.exists(), "no worker was started"


async def test_home_lists_it_and_does_not_resume_it(runs: Path) -> None:
    make(runs, ended(e.RunFinished(step=100, epoch=1)))
    app = TrainerApp(runs, clock=lambda: made.NOW)
    async with app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, "train[/].py")
        await seen(pilot, "100 steps done")
        await seen(pilot, "run train[/].py again, with")
        await pilot.press("y")
        assert "its own program, train[/].py: it has no recipe" in await notices(pilot)
