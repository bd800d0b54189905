"""What a screen shows, as one frozen value: the fold of a run's journal up to some event.

Memory is bounded however long the run: scalars are kept as a decimated whole plus a window of recent points, lists are cut.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from core.view.class_history import ClassHistory, ClassPoint
from core.view.device import DeviceReading, RanksReading
from core.view.measurement import ClassScore, Measurement, PictureSet
from core.view.series import RECENT_POINTS, WHOLE_BINS, Bin, Point, RawPoint, Series

__all__ = [
    "ENDED", "RECENT_POINTS", "WHOLE_BINS", "Answer", "Bin", "ClassHistory", "ClassPoint", "ClassScore", "DeviceReading",
    "EpochRow", "Mark", "MarkKind", "Measurement", "Message", "Phase", "PictureSet", "Point", "RanksReading", "RawPoint",
    "SavedCheckpoint", "Series", "State", "Status", "Stopping", "Window",
]  # fmt: skip

Status: TypeAlias = Literal[
    "preparing", "running", "paused", "finished", "early-stopped", "stopped", "discarded", "failed", "lost",
    "watched", "queued",
]  # fmt: skip
ENDED: frozenset[str] = frozenset({"finished", "early-stopped", "stopped", "discarded", "failed", "lost"})
MarkKind: TypeAlias = Literal["resume", "rewind", "setting", "remark", "saved", "validated"]

KEPT_MESSAGES = 500
KEPT_ANSWERS = 64
KEPT_EPOCHS = 1000
KEPT_CHECKPOINTS = 200
KEPT_MARKS = 200
KEPT_METRICS = 256
"""Different names; further ones are not kept."""
KEPT_WINDOWS = 32
KEPT_READINGS = 300
"""Of the device: ten minutes."""
KEPT_RANKS_READINGS = 5
"""Of several processes: ten seconds, which are looked at together."""
KEPT_RANKS = 1024
"""Processes; of further ones nothing is kept."""
KEPT_BEFORE = 8
"""Earlier measurements and early-stopping states, to go back to when a run is resumed at an earlier step."""
KEPT_PICTURES = 200
"""Sets; of older ones the images are removed from the run folder too."""
LONGEST_TEXT = 4000
"""Characters kept of a message, a reason or a remark."""


class Window(msgspec.Struct, frozen=True):
    """A stretch of training steps and how long it took."""

    steps: int
    images: int
    seconds: float


class EpochRow(msgspec.Struct, frozen=True):
    """One finished epoch; metrics of training and of every split that was measured in it."""

    epoch: int
    step: int
    seconds: float
    metrics: dict[str, float]


class Stopping(msgspec.Struct, frozen=True):
    """Early stopping as it stands."""

    enabled: bool = True
    metric: str = ""
    value: float | None = None
    best: float | None = None
    best_epoch: int = 0
    best_step: int = 0
    epoch: int = 0
    epochs_since: int = 0
    patience: int = 0
    min_delta: float = 0.0
    improved: bool = False


class Phase(msgspec.Struct, frozen=True):
    """Something that a person waits for, under way now."""

    name: str
    label: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    started: float = 0.0


class SavedCheckpoint(msgspec.Struct, frozen=True):
    checkpoint: str
    step: int
    epoch: int
    name: str = ""
    best: bool = False
    time: float = 0.0
    bytes: int = 0


class Message(msgspec.Struct, frozen=True):
    time: float
    level: str
    text: str


class Answer(msgspec.Struct, frozen=True):
    """What the run said to a command."""

    id: str
    command: str
    accepted: bool
    text: str = ""


class Mark(msgspec.Struct, frozen=True):
    """A moment worth showing on the time axis: a resume, a rewind, a setting, a remark, a measurement that was asked for."""

    step: int
    kind: MarkKind
    text: str
    """In words: ``learning rate 0.01 -> 0.005``."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of a run. The empty State is a run that has said nothing yet."""

    seq: int = -1
    """Of the last event folded in."""
    status: Status = "preparing"
    name: str = ""
    recipe: str = ""
    program: str = ""
    """File name of the program whose own loop trains the run; empty for a run of a recipe."""
    data: str = ""
    classes: tuple[str, ...] = ()
    model: str = ""
    parameters: int = 0
    macs: int = 0
    train_images: int = 0
    validation_images: int = 0
    test_images: int = 0
    batch_size: int = 0
    device: str = ""
    precision: str = ""
    threads: int = 0
    monitor: str = ""
    """The metric that early stopping and 'best' go by, for instance ``val.loss``."""

    origin: str = ""
    """What it is read from, where others train it."""
    address: str = ""
    """``ssh://...``, where it is trained on another machine and this is its mirror."""
    away: float = 0.0
    """Since when there is no link to that machine (Unix seconds), 0 while there is one."""
    unlinked: str = ""
    shut: bool = False
    """Whether it does not come back by itself: ssh was not let in."""
    """Why there is none, in words."""
    fetched: float = 1.0
    """How much of the journal has come from there (0 to 1)."""

    started: float = 0.0
    """Unix seconds of RunStarted."""
    session_started: float = 0.0
    """Unix seconds of the latest RunStarted or RunResumed."""
    trained_seconds: float = 0.0
    """Sum of the windows' own durations: pauses and time between sessions are not in it."""
    last_time: float = 0.0
    """Unix seconds of the latest event of any kind (staleness is read from it)."""
    sessions: int = 0

    epoch: int = 0
    """The epoch under way, from 1."""
    epochs: int = 0
    step: int = 0
    steps_per_epoch: int = 0
    step_age: float = 0.0
    phase: Phase | None = None

    series: dict[str, Series] = {}
    """By metric name: ``train.*`` and ``system.*`` a point per window, ``val.*`` and ``test.*`` a point per measurement."""
    clock: Series = Series()
    """By step the seconds trained until then; what a rewind took back was trained too."""
    metrics: dict[str, float] = {}
    """The latest value of every metric."""
    rows: tuple[EpochRow, ...] = ()
    measurements: dict[str, Measurement] = {}
    """By split: ``validation``, ``test``."""
    earlier_measurements: tuple[Measurement, ...] = ()
    """Of all splits, oldest first, without the latest of each: what a rewind goes back to."""
    class_history: dict[str, ClassHistory] = {}
    """By split: accuracy by class at each measurement with the weights of its moment."""
    pictures: tuple[PictureSet, ...] = ()
    """Oldest first."""
    windows: tuple[Window, ...] = ()
    """The latest StepDone windows of this session, oldest first (throughput and ETA are read from them)."""
    stopping: Stopping = Stopping()
    earlier_stopping: tuple[Stopping, ...] = ()
    checkpoints: tuple[SavedCheckpoint, ...] = ()
    """Present on disk as far as the journal knows, oldest first."""
    messages: tuple[Message, ...] = ()
    answers: tuple[Answer, ...] = ()
    marks: tuple[Mark, ...] = ()
    device_reading: DeviceReading | None = None
    device_readings: tuple[DeviceReading, ...] = ()
    """The latest ones, oldest first, that one the last."""
    ranks: tuple[RanksReading, ...] = ()
    """The latest ones of this session, oldest first, where several processes train."""
    hosts: tuple[str, ...] = ()
    """Of each rank, where they are on more than one machine."""
    stop_after_epoch: bool = False
    paused: bool = False
    """By a person."""
    hindrance: str = ""
    """Why the run is paused until everything can be saved again (``disk full``), else empty."""

    ended_as: Status | None = None
    """How the session before ended, while a new one prepares."""
    refusal: str = ""
    """Why the latest attempt to resume came to nothing."""
    ending: str = ""
    """Why the run ended, in words."""
    failure: str = ""
    """Kind of the failure (``diverged``, ``data`` ...), empty otherwise."""
    weights: str = ""
    """Where the weights of an ended run are, relative to the run folder."""

    @property
    def total_steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    @property
    def begun(self) -> bool:
        """Whether training has; how long it will be is not always known then."""
        return self.sessions > 0 or self.steps_per_epoch > 0

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def split(self) -> str:
        """The split that is measured every epoch and shown first."""
        return "test" if self.monitor.startswith("test.") else "validation"

    @property
    def unwatched(self) -> bool:
        """Whether the run holds nothing out and measures no split before its end."""
        return not self.monitor and self.steps_per_epoch > 0
