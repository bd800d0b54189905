"""A pass over a split, told as events: a phase with its progress, then what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from torch import nn

from core.events import (
    MEASURING,
    PREFIX,
    Event,
    Metrics,
    PhaseEnded,
    PhaseProgressed,
    PhaseStarted,
    Split,
    ValidationDone,
    from_number,
)
from core.sections import Tta
from core.training.evaluation import Evaluation, Result
from core.training.pictures import keeps_mistakes
from core.training.setup import Setup

EVERY = 0.25
"""Seconds between two words of progress."""
LARGEST_CONFUSION = 64
"""Classes; beyond, the counts would outgrow a line of the journal."""


def measure(
    setup: Setup, split: Split, network: nn.Module, between_batches: Callable[[], Iterator[Event]], tta: Tta = "none"
) -> Generator[Event, None, tuple[Result, float]]:
    """Events of one pass; returns the result and how long it took (seconds)."""
    started, phase, examples = time.monotonic(), MEASURING[split], setup.split(split)
    batch = setup.recipe.data.evaluation_batch_size
    remember = keeps_mistakes(setup, split)
    if setup.ranks:
        setup.ranks.same(network.buffers())  # each rank's batch norm may have seen other images
    evaluation = Evaluation(
        network, examples, len(setup.classes), setup.normalisation, batch, setup.precision, tta, remember, setup.ranks
    )
    yield PhaseStarted(phase=phase, label=split, total=len(examples), unit="images")
    said = started
    for done in evaluation:
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            yield PhaseProgressed(phase=phase, done=done, total=len(examples))
        yield from between_batches()
    seconds = time.monotonic() - started
    yield PhaseEnded(phase=phase, seconds=seconds)
    return evaluation.result(), seconds


def measured(
    split: Split, result: Result, seconds: float, epoch: int, step: int, monitor: str, checkpoint: str = ""
) -> ValidationDone:
    """The event of a pass that is through."""
    small = len(result.confusion) <= LARGEST_CONFUSION
    return ValidationDone(
        split=split, epoch=epoch, step=step, seconds=seconds, metrics=metrics_of(split, result, monitor),
        correct=tuple(result.correct), images=tuple(result.images), checkpoint=checkpoint,
        confusion=tuple(map(tuple, result.confusion)) if small else (),
    )  # fmt: skip


def metrics_of(split: Split, result: Result, monitor: str) -> Metrics:
    """The balanced accuracy is told where it is another than the accuracy, or what the run watches."""
    prefix = PREFIX[split]
    metrics: Metrics = {f"{prefix}.loss": from_number(result.loss), f"{prefix}.accuracy": result.accuracy}
    if result.unbalanced or monitor == f"{prefix}.balanced_accuracy":
        metrics[f"{prefix}.balanced_accuracy"] = result.balanced_accuracy
    if result.tta_accuracy is not None:
        metrics[f"{prefix}.tta_accuracy"] = result.tta_accuracy
    return metrics
