"""What was measured: passes over a split, finished epochs, early stopping."""

from __future__ import annotations

from msgspec.structs import replace

from core import events as e
from core.view.parts import appended, known, merged, numbers, short
from core.view.state import KEPT_BEFORE, KEPT_EPOCHS, ClassScore, EpochRow, Measurement, State, Stopping


def validation_done(state: State, event: e.ValidationDone) -> State:
    metrics = numbers(event.metrics)
    measurement = Measurement(
        event.split, event.epoch, event.step, metrics, _classes(state, event), event.confusion, event.checkpoint,
        event.seconds, sum(event.images),
    )  # fmt: skip
    earlier = state.earlier_measurements
    if before := state.measurements.get(event.split):
        earlier = appended(earlier, before, KEPT_BEFORE)
    return replace(
        state, metrics=merged(state.metrics, event.metrics), earlier_measurements=earlier,
        measurements={**state.measurements, event.split: measurement},
    )  # fmt: skip


def _classes(state: State, event: e.ValidationDone) -> tuple[ClassScore, ...]:
    before = _accuracies_before(state, event)
    names = state.classes or tuple(str(number) for number in range(len(event.images)))
    return tuple(
        ClassScore(name, correct, images, before.get(name))
        for name, correct, images in zip(names, event.correct, event.images, strict=False)
    )


def _accuracies_before(state: State, event: e.ValidationDone) -> dict[str, float]:
    """By class, at the measurement before of the same split with the weights of its moment; other weights have none."""
    if event.checkpoint:
        return {}
    for item in reversed([*state.earlier_measurements, *state.measurements.values()]):
        if item.split == event.split and not item.checkpoint and item.step < event.step:
            return {score.name: score.accuracy for score in item.classes if score.accuracy is not None}
    return {}


def epoch_done(state: State, event: e.EpochDone) -> State:
    metrics = numbers(event.metrics)
    for item in state.measurements.values():
        if item.epoch == event.epoch and not item.checkpoint:
            metrics = {**item.metrics, **metrics}
    row = EpochRow(event.epoch, event.step, event.seconds, metrics)
    rows = tuple(item for item in state.rows if item.epoch != event.epoch)
    return replace(state, rows=appended(rows, row, KEPT_EPOCHS), step=max(state.step, event.step))


def early_stopping_updated(state: State, event: e.EarlyStoppingUpdated) -> State:
    stopping = Stopping(
        event.enabled, event.metric, known(event.value), known(event.best), event.best_epoch, event.best_step,
        event.epoch, event.epochs_since, event.patience, event.min_delta, event.improved,
    )  # fmt: skip
    earlier = appended(state.earlier_stopping, state.stopping, KEPT_BEFORE)
    return replace(state, stopping=stopping, earlier_stopping=earlier)


def early_stopped(state: State, event: e.EarlyStopped) -> State:
    return replace(state, ending=short(event.reason) or "early stopping")
