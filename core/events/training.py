"""What the training comes to, step by step and epoch by epoch."""

from __future__ import annotations

from core.events.base import Event, Metrics, Number, Split, Whole


class EpochStarted(Event, frozen=True, kw_only=True):
    epoch: Whole = 0
    step: Whole = 0
    learning_rate: float = 0.0


class StepDone(Event, frozen=True, kw_only=True):
    """Means over the window of ``steps`` optimizer steps that ends with ``step``."""

    step: Whole = 0
    epoch: Whole = 0
    steps: Whole = 1
    images: Whole = 0
    seconds: float = 0.0
    metrics: Metrics = {}


class ValidationDone(Event, frozen=True, kw_only=True):
    """One pass over a split. ``confusion[t][p]`` counts images of class t taken for p (left empty above 64 classes)."""

    split: Split = "validation"
    epoch: Whole = 0
    step: Whole = 0
    seconds: float = 0.0
    metrics: Metrics = {}
    correct: tuple[Whole, ...] = ()
    images: tuple[Whole, ...] = ()
    confusion: tuple[tuple[Whole, ...], ...] = ()
    classes: tuple[str, ...] = ()
    """Their names, where the beginning of the run did not tell them."""
    checkpoint: str = ""
    """Set when other weights than the present ones were measured (the final test takes the best)."""


class PicturesLogged(Event, frozen=True, kw_only=True):
    """Some images of a split, in the run folder's ``media`` under the SHA-256 of their bytes; old ones are removed there."""

    kind: str = ""
    """``mistakes``: those most confidently taken for another class at a measurement. ``batch``: of the first batch of an epoch,
    as the network sees it."""
    split: str = ""
    """``train``, ``validation`` or ``test``."""
    epoch: Whole = 0
    step: Whole = 0
    pictures: Whole = 0
    bytes: Whole = 0
    media: str = ""
    checkpoint: str = ""
    """As in ValidationDone."""


class EpochDone(Event, frozen=True, kw_only=True):
    epoch: Whole = 0
    step: Whole = 0
    seconds: float = 0.0
    metrics: Metrics = {}


class EarlyStoppingUpdated(Event, frozen=True, kw_only=True):
    enabled: bool = True
    metric: str = ""
    value: Number = "nan"
    best: Number = "nan"
    best_epoch: Whole = 0
    best_step: Whole = 0
    epoch: Whole = 0
    epochs_since: Whole = 0
    patience: Whole = 0
    min_delta: float = 0.0
    improved: bool = False


class EarlyStopped(Event, frozen=True, kw_only=True):
    epoch: Whole = 0
    step: Whole = 0
    reason: str = ""
