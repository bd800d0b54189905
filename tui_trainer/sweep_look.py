"""A sweep as its screen looks at it: what its folder says now. No screen library here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.sweep.folder import SweepFile, SweepFolder, list_sweeps
from core.sweep.trials import Board, State, Trial, best, ended
from core.view.words import count, lower_is_better

RANK: dict[State, int] = {"finished": 0, "pruned": 1, "running": 2, "interrupted": 3, "failed": 4}


class Look(NamedTuple):
    file: SweepFile = SweepFile()
    board: Board = Board()
    alive: bool = False
    trouble: str = ""
    """Why it cannot be read."""

    @property
    def trials(self) -> tuple[Trial, ...]:
        return self.board.trials

    @property
    def best(self) -> Trial | None:
        return best(self.trials, self.file.metric)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.file.space)

    @property
    def state(self) -> str:
        if self.alive:
            return "running"
        return "finished" if ended(self.trials) >= self.file.trials else "interrupted"


def look(sweep: SweepFolder) -> Look:
    try:
        return Look(sweep.read(), sweep.read_board(), sweep.alive())
    except UserError as error:
        return Look(trouble=str(error))


def best_first(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """The finished ones, then the pruned ones, each the best on top, then the others as they came."""
    sign = 1 if lower_is_better(metric) else -1
    return sorted(trials, key=lambda trial: (RANK[trial.state], sign * (trial.value or 0.0), trial.number))


def listed(runs: Path, first: Collection[str]) -> list[tuple[SweepFolder, str]]:
    """All of a folder, those of these names before the others, each with how it stands in words."""
    found = sorted(list_sweeps(runs), key=lambda sweep: sweep.name not in first)
    return [(sweep, words(look(sweep))) for sweep in found]


def words(found: Look) -> str:
    return found.trouble or f"{found.state}, {ended(found.trials)} of {count(found.file.trials, 'trial')}"
