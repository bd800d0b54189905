"""What a resume or a rewind takes back: everything that was said after the step of its checkpoint."""

from __future__ import annotations

from msgspec.structs import replace

from core.view import class_history
from core.view.series import Series, rewound
from core.view.state import Measurement, State, Stopping


def to_step(state: State, step: int, epoch: int) -> State:
    """The state as of ``step``; ``metrics`` are the latest values up to it again."""
    series = {name: cut for name, item in state.series.items() if (cut := rewound(item, step)).last is not None}
    history = [item for item in _measurements(state) if item.step <= step]
    measurements = {item.split: item for item in history}
    stoppings = _stoppings(state, step)
    return replace(
        state, step=step, epoch=epoch, series=series, metrics=_latest(series, measurements),
        rows=tuple(row for row in state.rows if row.step <= step), measurements=measurements,
        earlier_measurements=tuple(item for item in history if item is not measurements[item.split]),
        class_history=_class_history(state, step), pictures=tuple(item for item in state.pictures if item.step <= step),
        stopping=stoppings[-1] if stoppings else _unmeasured(state.stopping), earlier_stopping=tuple(stoppings[:-1]),
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


def _unmeasured(stopping: Stopping) -> Stopping:
    return Stopping(
        enabled=stopping.enabled, metric=stopping.metric, patience=stopping.patience, min_delta=stopping.min_delta
    )  # fmt: skip


def _latest(series: dict[str, Series], measurements: dict[str, Measurement]) -> dict[str, float]:
    latest = {name: item.last for name, item in series.items() if item.last is not None}
    for measurement in measurements.values():
        latest.update(measurement.metrics)
    return latest
