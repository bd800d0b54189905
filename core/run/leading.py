"""What the first of several processes does beside training; nothing where there is but one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.recipe import Recipe
from core.run.folder import RunFolder
from core.run.processes import LAUNCHER, Processes
from core.run.pump import Pump

if TYPE_CHECKING:
    from core.run.beginning import Place
    from core.training.control import Control
    from core.training.distributed import Ranks
    from core.training.setup import Setup
    from core.training.snapshot import World
    from core.training.trainer import Trainer


def join(processes: Processes, recipe: Recipe) -> tuple[Ranks | None, Recipe]:
    """Meet the others; returns the recipe with the device of this process. Raises UserError for what several cannot do."""
    if not processes.several:
        return None, recipe
    from core.training import distributed

    return distributed.join(processes, recipe)


def trainer(run: RunFolder, setup: Setup, place: Place, world: World, control: Control, pump: Pump) -> Trainer:
    """What trains from that place, and saves into the run."""
    given = run, setup.recipe, world, setup.metadata(), pump.sync, lambda: pump.trouble
    if setup.ranks is None:
        from core.training.saver import Saver
        from core.training.trainer import Trainer

        return Trainer(setup, place.progress, control, Saver(*given), place.again)
    from core.training.agreeing import AgreedSaver
    from core.training.shared_trainer import SharedTrainer

    saver = AgreedSaver(*given)
    saver.ranks = setup.ranks
    return SharedTrainer(setup, place.progress, control, saver, place.again)


def hand_over(ranks: Ranks | None, trainer: Trainer) -> None:
    """Give the others all that training begins from."""
    if ranks:
        from core.training import agreeing

        agreeing.hand_over(ranks, trainer.setup, trainer.progress, tuple(trainer.again))


def has_last_word(processes: Processes) -> bool:
    """Whether nobody starts the processes anew, or says how the run ended."""
    return LAUNCHER not in os.environ and not processes.may_restart
