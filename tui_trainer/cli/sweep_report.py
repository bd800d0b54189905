"""Sweeps as ``sweeps`` prints them: as JSON, whose keys stay as they are, and in words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from core.errors import UserError
from core.sweep.folder import SweepFile, SweepFolder, last_activity, reference
from core.sweep.trials import Board, Trial, best, ended, short_text, value_words
from core.view.words import format_duration, format_metric
from tui_trainer.cli.say import table
from tui_trainer.cli.sweep_lines import shares

NOTHING = "-"
BEST = "*"


def state_of(sweep: SweepFolder, file: SweepFile, board: Board) -> str:
    """``running``, ``finished``, or ``interrupted``: it can go on."""
    if sweep.alive():
        return "running"
    return "finished" if ended(board.trials) >= file.trials else "interrupted"


# JSON


def brief(sweep: SweepFolder) -> dict[str, Any]:
    """Of one that cannot be read: why."""
    try:
        file = sweep.read()
    except UserError as error:
        return {"name": sweep.name, "path": str(sweep.path), "error": str(error)}
    board = sweep.read_board()
    return {
        "name": sweep.name,
        "path": str(sweep.path),
        "recipe": file.recipe.get("name", ""),
        "state": state_of(sweep, file, board),
        "trials": file.trials,
        "done": ended(board.trials),
        "metric": file.metric,
        "best": best(board.trials, file.metric),
        "last_activity": last_activity(sweep),
    }


def document(sweep: SweepFolder) -> dict[str, Any]:
    file, board = sweep.read(), sweep.read_board()
    asked = {"space": file.space, "sampler": file.sampler, "prune": file.prune, "seed": file.seed}
    return {**brief(sweep), **asked, "importances": board.importances, "note": board.note, "all_trials": board.trials}


# In words


def rows(sweeps: list[SweepFolder]) -> list[str]:
    head = ("SWEEP", "STATE", "RECIPE", "TRIALS", "BEST", "LAST ACTIVITY")
    return table([head, *map(_row, sweeps)])


def _row(sweep: SweepFolder) -> tuple[str, ...]:
    about = brief(sweep)
    if "error" in about:
        return sweep.name, "damaged", NOTHING, NOTHING, NOTHING, str(about["error"])
    leader: Trial | None = about["best"]
    shown = f"{value_words(leader, about['metric'])}, trial {leader.number}" if leader else NOTHING
    ago = f"{format_duration(max(time.time() - about['last_activity'], 0))} ago"
    return sweep.name, about["state"], str(about["recipe"]), f"{about['done']}/{about['trials']}", shown, ago


def lines(sweep: SweepFolder) -> list[str]:
    """All trials of one."""
    return list(_lines(sweep))


def _lines(sweep: SweepFolder) -> Iterator[str]:
    file, board = sweep.read(), sweep.read_board()
    state = state_of(sweep, file, board)
    yield f"sweep {sweep.name}: {state}, {ended(board.trials)} of {file.trials} trials of recipe {file.recipe.get('name', '')}"
    if not board.trials:
        yield "no trial has begun yet"
    else:
        head = ("TRIAL", "STATE", file.metric.upper(), "EPOCH", "TRAINED", *file.space, "NOTE")
        leader = best(board.trials, file.metric)
        found = table([head, *(_trial(trial, file, trial == leader) for trial in board.trials)])
        yield from found
    if board.importances:
        yield f"what matters: {shares(board.importances)}"
    if board.note and state == "interrupted":
        yield f"ended before its last trial: {board.note}"
    if state == "interrupted":
        yield f"go on with: tui-trainer sweep --resume {reference(sweep)}"


def _trial(trial: Trial, file: SweepFile, leads: bool) -> tuple[str, ...]:
    values = (short_text(trial.values[key]) if key in trial.values else NOTHING for key in file.space)
    value = format_metric(file.metric, trial.value) + BEST * leads
    trained = format_duration(trial.seconds) if trial.seconds else NOTHING
    return f"{trial.number} {trial.run}", trial.state, value, f"{trial.epoch}/{trial.epochs}", trained, *values, trial.note
