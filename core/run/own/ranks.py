"""One decision for all processes of a training: the first rank has the console's ear, and all of them pause, save and leave at
the same step.

They meet at a step that they all know: at each meeting the first rank says how many steps it is until the next one, by how fast
the steps are. Between two meetings nobody waits for anybody."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from core.training.ranks import Together


class Decision(msgspec.Struct, frozen=True):
    """Numbers, since they travel as a tensor."""

    signal: float = 0
    """The greatest that any rank has got; the first one heeds it."""
    steps: float = 1
    """Until the next meeting."""
    paused: float = 0
    stopping: float = 0
    stops_after_epoch: float = 0
    saves: float = 0
    """Checkpoints to be written now."""
    epochs: float = 0
    factor: float = 1.0
    """Of the learning rate."""
    discarded: float = 0


def rank() -> int:
    """Of this process, from 0."""
    known = None
    if "torch" in sys.modules:
        from core.training import ranks

        known = ranks.rank()
    given = os.environ.get("RANK", "0")
    return known if known is not None else int(given) if given.isdecimal() else 0


def together() -> Together | None:
    """To be called by all ranks at the same place; None where there is nobody to decide with."""
    if "torch" not in sys.modules:
        return None
    from core.training import ranks

    return ranks.together()


def several() -> bool:
    """Whether whatever started this process started others beside it."""
    given = os.environ.get("WORLD_SIZE", "1")
    return given.isdecimal() and int(given) > 1


def agreed(group: Together, mine: Decision, leading: bool) -> Decision:
    """What the first rank has decided, with the signals of all."""
    told = [float(value) for value in msgspec.structs.astuple(mine)]
    if not leading:
        told[1:] = [-math.inf] * (len(told) - 1)
    return Decision(*group.most(told))
