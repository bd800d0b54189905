"""What a sweep says while it goes on, for whoever started it; ``sweep --json`` prints one a line."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from core.sweep.folder import SweepFile
from core.sweep.trials import Trial


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True):
    """Base of all."""


class SweepStarted(Told, frozen=True, kw_only=True):
    sweep: SweepFile
    done: int = 0
    """Trials that are over already; above 0 where a sweep goes on."""


class TrialStarted(Told, frozen=True, kw_only=True):
    trial: Trial
    resumed: bool = False


class TrialMeasured(Told, frozen=True, kw_only=True):
    """What the held-out images gave after an epoch."""

    number: int
    run: str
    epoch: int
    epochs: int
    value: float


class TrialEnded(Told, frozen=True, kw_only=True):
    trial: Trial
    best: bool = False
    """Of all until now."""


class SweepEnded(Told, frozen=True, kw_only=True):
    best: Trial | None = None
    trials: int = 0
    """That are over."""
    importances: dict[str, float] = {}
    reason: str = ""
    """Why it ended before its last trial; empty when it did not."""
    failed: bool = False
    signal: int = 0


AnyTold: TypeAlias = SweepStarted | TrialStarted | TrialMeasured | TrialEnded | SweepEnded
