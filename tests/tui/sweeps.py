"""Sweeps that are there: their folders as a sweep leaves them, without Optuna's own file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from core import recipe
from core.sweep.folder import SweepFile, SweepFolder, trial_name
from core.sweep.space import Choice, checked, divided
from core.sweep.trials import Board, State, Trial
from tests.tui.runs import NOW
from tests.tui.screens import PATIENCE, text_of
from tui_trainer.app import TrainerApp
from tui_trainer.screens.sweep import SweepScreen

SEARCH = (
    "optimizer.lr=log:1e-4..1e-1",
    "batch_size=16..128/16",
    "optimizer.name=adam|sgd|muon|adamw",
    "optimizer.weight_decay=0..0.1",
)
IMPORTANCES = {"optimizer.lr": 0.71, "optimizer.name": 0.2, "batch_size": 0.06, "optimizer.weight_decay": 0.03}
STATES: tuple[State, ...] = ("finished",) * 5 + ("pruned",) * 2 + ("failed",)
NOTES: dict[State, str] = {
    "failed": "the training loss is NaN; lower optimizer.lr",
    "pruned": "val.accuracy 21.30 % at epoch 5, where the median of the others is 30.10 %",
}


def make(runs: Path, number: int, asked: int = 20) -> SweepFolder:
    """``n12``: a sweep with so many trials that are over."""
    base = recipe.load("quickstart")
    sweep = SweepFolder(runs / f"n{number}.sweep")
    space = checked(base, divided(SEARCH)[1])
    table = recipe.to_table(base)
    sweep.create(
        SweepFile(name=sweep.name, created=NOW, recipe=table, space=space, metric="val.accuracy", trials=max(number, asked))
    )
    trials = tuple(_trials(sweep.name, number))
    sweep.write_board(Board(trials=trials, importances=IMPORTANCES if number > 3 else {}))
    return sweep


def _trials(name: str, number: int) -> Iterator[Trial]:
    """The same ones always. SGD is worse, and a learning rate of 0.005 is the best."""
    chance = random.Random(0)
    for place in range(1, number + 1):
        power, size, optimizer = (
            chance.uniform(-4, -1),
            chance.choice(range(16, 129, 16)),
            chance.choice(("adam", "sgd", "muon")),
        )
        value = 0.5 - 0.06 * (power + 2.3) ** 2 + 0.02 * chance.random() - 0.1 * (optimizer == "sgd")
        state = chance.choice(STATES)
        epoch = 25 if state == "finished" else chance.randint(1, 9)
        yield Trial(
            number=place, run=trial_name(name, place), state=state, epoch=epoch, epochs=25, seconds=epoch * 3.1,
            value=None if state == "failed" else value * (1.0 if state == "finished" else 0.5),
            best_epoch=23 if state == "finished" else 0, note=NOTES.get(state, ""),
            values={
                "optimizer.lr": 10**power, "batch_size": size, "optimizer.name": optimizer,
                "optimizer.weight_decay": chance.uniform(0, 0.1),
            },
        )  # fmt: skip


def under_way(sweep: SweepFolder, **changes: Any) -> Trial:
    """One more trial, which is being trained."""
    board = sweep.read_board()
    values = board.trials[-1].values
    number = len(board.trials) + 1
    trial = Trial(number=number, run=trial_name(sweep.name, number), values=values, epochs=25)
    trial = replace(trial, **changes)
    sweep.write_board(replace(board, trials=(*board.trials, trial)))
    return trial


def hostile(runs: Path) -> SweepFolder:
    """Names, texts and figures that would move a terminal, or draw no picture."""
    evil = "\x1b[31m[bold]red\u202e"
    sweep = make(runs, 4)
    file, board = sweep.read(), sweep.read_board()
    space = {evil: Choice((evil, "b")), **file.space, "none": Choice(())}
    table = {**file.recipe, "name": evil}
    sweep.write(replace(file, space=space, recipe=table, metric="val.loss" + evil))
    figures = (1e308, -1e308, 0.0, 5e-324)
    trials = tuple(
        replace(trial, value=figure, note=evil, run=evil, state="finished", values={evil: evil, "optimizer.lr": -1.0})
        for trial, figure in zip(board.trials, figures, strict=True)
    )
    sweep.write_board(replace(board, trials=trials, importances={evil: 7.0, "optimizer.lr": -3.0}, note=evil))
    return sweep


def console(sweep: SweepFolder) -> TrainerApp:
    return TrainerApp(sweep.runs, sweep=sweep, clock=lambda: NOW)


async def settled(pilot: Pilot[Any]) -> SweepScreen:
    """The screen once its picture is still."""
    last = ""
    for _ in range(PATIENCE):
        await pilot.pause(0.05)
        screen, text = pilot.app.screen, text_of(pilot)
        if isinstance(screen, SweepScreen) and text == last and text.splitlines()[-1].strip():
            return screen
        last = text
    raise AssertionError(f"the screen did not settle:\n{last}")
