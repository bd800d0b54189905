"""What was measured: passes over a split, finished epochs, early stopping."""

from __future__ import annotations

from msgspec.structs import replace

from core import events as e
from core.view import class_history
from core.view.class_history import ClassHistory
from core.view.parts import appended, known, merged, numbers, short
from core.view.state import (
    KEPT_BEFORE,
    KEPT_EPOCHS,
    KEPT_PICTURES,
    ClassScore,
    EpochRow,
    Measurement,
    PictureSet,
    State,
    Stopping,
)


def validation_done(state: State, event: e.ValidationDone) -> State:
    measurement = measurement_of(event, _classes(state, event))
    earlier = state.earlier_measurements
    if before := state.measurements.get(event.split):
        earlier = appended(earlier, before, KEPT_BEFORE)
    return replace(
        state, metrics=merged(state.metrics, event.metrics), earlier_measurements=earlier,
        classes=state.classes or event.classes, measurements={**state.measurements, event.split: measurement},
        class_history=_class_history(state, event),
    )  # fmt: skip


def measurement_of(event: e.ValidationDone, classes: tuple[ClassScore, ...]) -> Measurement:
    return Measurement(
        event.split, event.epoch, event.step, numbers(event.metrics), classes, event.confusion, event.checkpoint,
        event.seconds, sum(event.images),
    )  # fmt: skip


def _class_history(state: State, event: e.ValidationDone) -> dict[str, ClassHistory]:
    if event.checkpoint or not event.images:
        return state.class_history
    before = state.class_history.get(event.split, ClassHistory())
    after = class_history.extended(before, event.epoch, event.step, event.correct, event.images)
    return {**state.class_history, event.split: after}


def _classes(state: State, event: e.ValidationDone) -> tuple[ClassScore, ...]:
    before = _accuracies_before(state, event)
    names = event.classes or state.classes or tuple(str(number) for number in range(len(event.images)))
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


def pictures_logged(state: State, event: e.PicturesLogged) -> State:
    """Said again after a kill, it takes the place of what was said before."""
    found = PictureSet(
        short(event.kind), short(event.split), event.epoch, event.step, event.pictures, event.bytes, short(event.media),
        short(event.checkpoint),
    )  # fmt: skip
    others = tuple(item for item in state.pictures if _moment(item) != _moment(found))
    return replace(state, pictures=appended(others, found, KEPT_PICTURES))


def _moment(item: PictureSet) -> tuple[str, str, int, bool]:
    return item.kind, item.split, item.step, bool(item.checkpoint)


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
    return replace(state, stopping=stopping, earlier_stopping=earlier, monitor=state.monitor or event.metric)


def early_stopped(state: State, event: e.EarlyStopped) -> State:
    return replace(state, ending=short(event.reason) or "early stopping")
