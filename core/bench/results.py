"""What the measurements give: Structs, whose fields are also the keys of ``bench --json``.

They are filled in as a measurement goes on, so that one that is cut off still says what it has. None: not measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Median and quartiles of ``count`` measured values."""

    median: float
    lower: float
    upper: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None for no values."""
        if not values:
            return None
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        return cls(median, lower, upper, len(values))


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    processor: str
    cores: int
    threads: int
    """That torch computes with."""
    capability: str
    """Vector extensions that torch uses."""
    torch: str
    gpus: tuple[str, ...] = ()


class Parts(msgspec.Struct, kw_only=True):
    """Milliseconds of one step of a recipe, the device waited for between the parts; they add up to ``step_ms``."""

    steps: int
    """How many these are the means of."""
    step_ms: float
    augmentation_ms: float
    """Until the network is called: picking the batch's images, augmenting, normalising."""
    forward_ms: float
    backward_ms: float
    """From the network's answer to the optimizer: the loss and its gradients."""
    optimizer_ms: float
    other_ms: float
    """Sums for the loss and the accuracy, averaging of weights, whatever else a step ends with."""


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint: medians of a few."""

    copy_ms: float
    """So long training waits."""
    write_ms: float
    """From then on, beside training, until it is safe on disk."""
    bytes: int


class StepResult(msgspec.Struct, kw_only=True):
    """One recipe's training step beside a plain one of the same network."""

    recipe: str
    data: str
    """The data set's name, or ``random images``."""
    model: str
    parameters: int
    macs: int
    """Multiply-accumulates of one image's forward pass, at full size."""
    batch_size: int
    device: str
    precision: str
    plain_workers: int | None = None
    """Processes that load the plain step's images."""
    images_per_second: Spread | None = None
    plain_images_per_second: Spread | None = None
    ratio: Spread | None = None
    """Of the two, each pair measured one right after the other."""
    flops: float | None = None
    """Floating-point operations per second: 3 x 2 x macs x images_per_second (a backward pass counts as two forward ones)."""
    plain_flops: float | None = None
    load_seconds: float | None = None
    """To read the data set; whatever is cached was used."""
    load_images_per_second: float | None = None
    parts: Parts | None = None
    evaluation_images_per_second: float | None = None
    """Without test-time augmentation."""
    checkpoint: Saving | None = None
    notes: list[str] = []


class StepReport(msgspec.Struct, kw_only=True):
    """``bench``."""

    machine: Machine
    recipes: list[StepResult] = []
    interrupted: bool = False


class SeedResult(msgspec.Struct, frozen=True, kw_only=True):
    """One finished run, in seconds as its journal has them."""

    run: str
    """Its folder."""
    seed: int
    accuracy: float
    """On test, 0 to 1."""
    tta_accuracy: float | None
    """The same with test-time augmentation, where the recipe has one."""
    total: float
    """From the worker's first word to its last, all sessions together."""
    start: float
    """Loading torch."""
    preparation: float
    """Reading the data, building the network."""
    compile: float
    training: float
    validation: float
    """Measuring after an epoch."""
    final: float
    """Measuring the finished training."""
    other: float
    """Checkpoints waited for, and what is between all these."""
    sessions: int
    """More than 1 when it was cut off and resumed: some steps may have been taken twice."""

    @property
    def counted(self) -> float:
        """What a target is held against."""
        return self.accuracy if self.tta_accuracy is None else self.tta_accuracy


class Mean(msgspec.Struct, frozen=True):
    """``deviation`` is the sample's own (n - 1); None for a single value."""

    mean: float
    deviation: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean | None:
        if not values:
            return None
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


class TargetReport(msgspec.Struct, kw_only=True):
    """``bench --to``."""

    machine: Machine
    recipe: str
    target: float
    """0 to 1."""
    wanted_seeds: int
    seeds: list[SeedResult] = []
    accuracy: Mean | None = None
    tta_accuracy: Mean | None = None
    total: Mean | None = None
    reached: bool | None = None
    """Whether the mean of all seeds reaches the target: with test-time augmentation where the recipe has it. None until all
    are there."""
    interrupted: bool = False

    def add(self, seed: SeedResult) -> None:
        self.seeds.append(seed)
        self.accuracy = Mean.of([item.accuracy for item in self.seeds])
        self.tta_accuracy = Mean.of([item.tta_accuracy for item in self.seeds if item.tta_accuracy is not None])
        self.total = Mean.of([item.total for item in self.seeds])
        if len(self.seeds) == self.wanted_seeds:
            self.reached = statistics.fmean(item.counted for item in self.seeds) >= self.target


class WatchedReport(msgspec.Struct, kw_only=True):
    """``bench --watched``: images per second of the same step, and ratios to the step alone in the same round."""

    machine: Machine
    recipe: str = ""
    data: str = ""
    batch_size: int = 0
    device: str = ""
    alone: Spread | None = None
    """Steps and nothing else: no events."""
    journal: Spread | None = None
    """The trainer with its events, journal, inbox, heartbeat and device samples, as a worker has them."""
    console: Spread | None = None
    """The same with the console attached, on a pseudo-terminal of 120x40."""
    journal_ratio: Spread | None = None
    console_ratio: Spread | None = None
    screen_bytes_per_second: float | None = None
    """What the console drew meanwhile."""
    cores_filled: bool = False
    """Training alone fills all cores, so that whatever else runs takes from it."""
    interrupted: bool = False
