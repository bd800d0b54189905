"""How a run ended, in lines: accuracy by class, the best epoch, where the weights are and what can be done next."""

from __future__ import annotations

from collections.abc import Iterator

from core.run.folder import RunFolder, reference, whereabouts
from core.run.program import way_on
from core.view.outcome import ending_words
from core.view.readings import confusion_words, confusions, format_duration, format_metric, monitor, stopping_sentence
from core.view.state import Measurement, State
from core.view.words import count
from tui_trainer.escape import printable
from tui_trainer.worker_log import last_words

WORST_PAIRS = 5
DONE = ("finished", "early-stopped")
LAST_LINES = 5
"""Of the log of a worker that is gone without a word."""


def result_lines(run: RunFolder, state: State) -> list[str]:
    """Safe to print; none for a run that has not begun."""
    return [printable(line) for line in _result(run, state)]


def class_lines(measurement: Measurement) -> list[str]:
    """A table of accuracy by class, aligned."""
    width = max([len("class"), *(len(printable(score.name)) for score in measurement.classes)])
    rows = [f"{'class':<{width}}  accuracy  correct  images"]
    for score in measurement.classes:
        accuracy = format_metric("accuracy", score.accuracy)
        rows.append(f"{printable(score.name):<{width}}  {accuracy:>8}  {score.correct:>7}  {score.images:>6}")
    return rows


def confusion_lines(measurement: Measurement) -> list[str]:
    """The pairs of classes that were mixed up most often, in words; safe to print."""
    pairs = confusions(measurement, WORST_PAIRS)
    return ["most often wrong:", *(f"  {printable(confusion_words(pair))}" for pair in pairs)] if pairs else []


def pictures_words(state: State) -> str:
    """How many pictures the run keeps; empty for none."""
    sets = {kind: [item for item in state.pictures if item.kind == kind] for kind in ("mistakes", "batch")}
    words = [
        f"{count(sum(item.pictures for item in found), 'picture')} of {what} at {count(len(found), 'moment')}"
        for kind, what in (("mistakes", "mistakes"), ("batch", "batches"))
        if (found := sets[kind])
    ]
    return ", ".join(words)


def next_commands(run: RunFolder, state: State) -> list[str]:
    """What can be done with a run that has ended; the last one is to go on with it."""
    if state.program:
        return [way_on(run.name, state.program)]
    name = reference(run)
    more = f" --epochs {2 * state.epochs}" if state.status in DONE else ""
    evaluate = [f"tui-trainer evaluate {name}"] if state.weights else []
    return [*evaluate, f"tui-trainer resume {name}{more}"]


def _result(run: RunFolder, state: State) -> Iterator[str]:
    measurement = state.measurements.get("test") or state.measurements.get("validation")
    if measurement and measurement.classes:
        yield f"accuracy by class, {measurement.split} split, {_weights(measurement)}:"
        yield from class_lines(measurement)
        yield from confusion_lines(measurement)
    see = "" if state.ending else f"; see {run.log}"
    yield f"{ending_words(state)}{see} ({format_duration(state.trained_seconds)} of training)"
    yield f"early stopping: {stopping_sentence(state)}"
    for item in state.measurements.values():
        yield f"{item.split}: {_scores(item)}, {_weights(item)}"
    if pictures := pictures_words(state):
        yield f"pictures: {pictures}"
    if state.weights:
        chosen = state.status in DONE and f"best.{monitor(state)}" in state.metrics
        yield f"weights{f' (best {monitor(state)})' if chosen else ''}: {whereabouts(run, state.weights)}"
    yield from (f"worker.log: {line}" for line in last_words(run, state, LAST_LINES))
    yield from (f"next: {command}" for command in next_commands(run, state))


def _weights(measurement: Measurement) -> str:
    return f"weights of {measurement.checkpoint or f'step {measurement.step}'}"


def _scores(measurement: Measurement) -> str:
    values = {name.partition(".")[2]: format_metric(name, value) for name, value in measurement.metrics.items()}
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()))
