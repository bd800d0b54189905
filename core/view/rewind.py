"""What a resume or a rewind takes back: everything that was said after the step of its checkpoint."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from core.view import class_history
from core.view.series import Series, rewound
from core.view.state import EpochRow, Measurement, State, Stopping
from core.view.words import lower_is_better


def to_step(state: State, step: int, epoch: int) -> State:
    """The state as of ``step``; ``metrics`` are the latest values up to it again."""
    series = {name: cut for name, item in state.series.items() if (cut := rewound(item, step)).last is not None}
    history = [item for item in _measurements(state) if item.step <= step]
    measurements = {item.split: item for item in history}
    stoppings, rows = _stoppings(state, step), tuple(row for row in state.rows if row.step <= step)
    return replace(
        state, step=step, epoch=epoch, series=series, clock=rewound(state.clock, step), metrics=_latest(series, measurements),
        rows=rows, measurements=measurements,
        earlier_measurements=tuple(item for item in history if item is not measurements[item.split]),
        class_history=_class_history(state, step), pictures=tuple(item for item in state.pictures if item.step <= step),
        stopping=stoppings[-1] if stoppings else _of_epochs(state, rows), earlier_stopping=tuple(stoppings[:-1]),
        checkpoints=tuple(item for item in state.checkpoints if item.step <= step),
        marks=tuple(mark for mark in state.marks if mark.step <= step or mark.kind == "remark"),  # a person's word stays
    )  # fmt: skip


def _class_history(state: State, step: int) -> dict[str, class_history.ClassHistory]:
    cut = {split: class_history.rewound(item, step) for split, item in state.class_history.items()}
    return {split: item for split, item in cut.items() if item.points}


def _measurements(state: State) -> list[Measurement]:
    return [*state.earlier_measurements, *state.measurements.values()]


def _stoppings(state: State, step: int) -> list[Stopping]:
    """Early stopping speaks at the end of epochs and names no step, so its epoch's last step stands for it."""
    return [item for item in (*state.earlier_stopping, state.stopping) if item.epoch * state.steps_per_epoch <= step]


def _of_epochs(state: State, rows: Sequence[EpochRow]) -> Stopping:
    """Early stopping as it stood further back than what it said is kept: by what the epochs came to."""
    now = state.stopping
    stopping = Stopping(enabled=now.enabled, metric=now.metric, patience=now.patience, min_delta=now.min_delta)
    for row in rows:
        if (value := row.metrics.get(stopping.metric)) is not None:
            stopping = _after_epoch(stopping, row, value)
    return stopping


def _after_epoch(before: Stopping, row: EpochRow, value: float) -> Stopping:
    """As :func:`core.training.early_stopping.update` has it."""
    gain = 0.0 if before.best is None else before.best - value if lower_is_better(before.metric) else value - before.best
    improved = math.isfinite(value) and (before.best is None or (gain > 0 and gain >= before.min_delta))
    found = replace(before, value=value, epoch=row.epoch, epochs_since=before.epochs_since + 1, improved=improved)
    best = {"best": value, "best_epoch": row.epoch, "best_step": row.step, "epochs_since": 0}
    return replace(found, **best) if improved else found


def _latest(series: dict[str, Series], measurements: dict[str, Measurement]) -> dict[str, float]:
    latest = {name: item.last for name, item in series.items() if item.last is not None}
    for measurement in measurements.values():
        latest.update(measurement.metrics)
    return latest
