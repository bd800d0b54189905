"""What the first of several processes does beside training; nothing where there is but one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from core.recipe import Recipe
from core.run.folder import RunFolder
from core.run.processes import LAUNCHER, Processes
from core.run.pump import Pump

if TYPE_CHECKING:
    from core.training.distributed import Ranks
    from core.training.saver import Saver
    from core.training.setup import Setup
    from core.training.snapshot import World
    from core.training.trainer import Trainer

LOST = "another process of this training is gone, or does not answer"


def join(processes: Processes, recipe: Recipe) -> tuple[Ranks | None, Recipe]:
    """Meet the others; returns the recipe with the device of this process. Raises UserError for what several cannot do."""
    if not processes.several:
        return None, recipe
    from core.training import distributed

    return distributed.join(processes, recipe)


def saver(ranks: Ranks | None, run: RunFolder, setup: Setup, world: World, pump: Pump) -> Saver:
    from core.training.saver import Saver

    given = run, setup.recipe, world, setup.metadata(), pump.sync, lambda: pump.trouble
    if ranks is None:
        return Saver(*given)
    from core.training.agreeing import AgreedSaver

    agreed = AgreedSaver(*given)
    agreed.ranks = ranks
    return agreed


def hand_over(ranks: Ranks | None, trainer: Trainer) -> None:
    """Give the others all that training begins from."""
    if ranks:
        from core.training import agreeing

        agreeing.hand_over(ranks, trainer.setup, trainer.progress, tuple(trainer.again))


def lost_peer(processes: Processes, error: Exception) -> bool:
    """Whether an error is that another process is gone; then it is logged."""
    if not processes.several:
        return False
    from core.training.distributed import lost_peer

    if lost := lost_peer(error):
        print(f"{LOST}: {error}", file=sys.stderr)  # noqa: T201
    return lost


def has_last_word(processes: Processes) -> bool:
    """Whether nobody starts the processes anew, or says how the run ended."""
    return LAUNCHER not in os.environ and not processes.may_restart
