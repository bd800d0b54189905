"""What a run's learning rate is going to be: as planned now, and after a change that nobody has sent yet. Pure, and free of
torch, so that a screen can draw it before the change is confirmed."""

from __future__ import annotations

import math
from typing import NamedTuple

from core.errors import UserError
from core.recipe import Recipe, from_table
from core.run.folder import RunFolder
from core.run.program import recipe_of
from core.run.resume import changes_not_in
from core.sections import Optimizer, Schedule
from core.training import progress
from core.training.progress import Amendment, Key, Progress
from core.training.schedules import learning_rate
from core.view.series import Point
from core.view.state import State


class Plan(NamedTuple):
    """``step`` and ``validated`` are where the run is."""

    recipe: Recipe
    amendments: tuple[Amendment, ...]
    steps_per_epoch: int
    step: int = 0
    validated: int = 0
    known: bool = True
    """Whether more of it is known than the present rate: the schedule of a program's own loop is not."""

    @property
    def epochs(self) -> int:
        return progress.epochs(self.recipe, list(self.amendments))

    @property
    def last(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def rate(self) -> float:
        """Of the next step."""
        return self.rate_at(self.step)

    def rate_at(self, step: int) -> float:
        return learning_rate(self.recipe, list(self.amendments), step, self.steps_per_epoch)

    def rates(self, most: int = 200) -> tuple[Point, ...]:
        """The rates from here to the end, ``most`` of them, evenly spread."""
        left = self.last - self.step
        steps = sorted({self.step + left * place // max(1, most - 1) for place in range(most)} if left > 0 else {self.step})
        return tuple(Point(step, *[self.rate_at(min(step, self.last - 1))] * 3) for step in steps)

    def changed(self, key: Key, value: float) -> Plan:
        """As it would be if a setting were changed here."""
        amendment = Amendment(self.step, key, value, self.validated)
        return self._replace(amendments=(*filter(amendment.leaves, self.amendments), amendment))


def read(run: RunFolder, state: State) -> Plan:
    """Of a run that has begun. Raises UserError when it has not, or its description cannot be read."""
    if state.program and state.begun:
        return _of_program(state)
    if not state.steps_per_epoch:
        raise UserError("training has not begun yet")
    recipe = from_table(recipe_of(run), str(run.run_file))
    made = tuple(item for item in changes_not_in(Progress(), run) if item.step <= state.step)
    return Plan(recipe, made, state.steps_per_epoch, state.step, max(state.epoch - 1, 0))


def _of_program(state: State) -> Plan:
    """The rate that it has told last, if any, and as many epochs as it has told."""
    optimizer = Optimizer(lr=state.metrics.get("train.learning_rate", math.nan))
    recipe = Recipe(epochs=max(state.epochs, state.epoch, 1), optimizer=optimizer, schedule=Schedule(name="constant"))
    return Plan(recipe, (), max(state.steps_per_epoch, 1), state.step, max(state.epoch - 1, 0), known=False)
