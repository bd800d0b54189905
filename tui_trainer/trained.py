"""What a run has come to, for a program that goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from core.errors import TrainingError
from core.run.folder import RunFolder
from core.view import whole
from core.view.outcome import accuracy
from core.view.state import Measurement, State, Status


class Result(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """A run as it stood when this was made. Accuracies go from 0 to 1, losses are mean cross-entropies.

    ``accuracy``, ``loss``, ``accuracy_by_class`` and ``confusion`` are of the test images once they were measured, else of
    the held-out ones; ``metrics`` has the latest value of everything that the run told, ``test.accuracy`` or ``train.loss``.
    """

    path: Path
    """The run's folder."""
    status: Status
    """``finished``, ``early-stopped``, ``stopped``, ``failed`` ..."""
    ending: str
    """Why it ended, in words."""
    epoch: int
    step: int
    seconds: float
    """Trained, without pauses."""
    accuracy: float | None = None
    loss: float | None = None
    accuracy_by_class: dict[str, float] = {}
    confusion: tuple[tuple[int, ...], ...] = ()
    """``confusion[t][p]`` images of class t taken for p."""
    metrics: dict[str, float] = {}
    weights: Path | None = None
    """The weights that were measured, as a safetensors file that is enough to evaluate, predict and export."""

    @property
    def name(self) -> str:
        return self.path.name

    def history(self, *names: str) -> list[dict[str, Any]]:
        """Every scalar that the run told, a row for each moment, read from its journal: ``pandas.DataFrame(result.history())``.

        ``names`` are patterns such as ``val.*``; all scalars without any. Each row has ``kind`` (``step``, ``validation``,
        ``test``, ``epoch``), ``step``, ``epoch`` and ``time`` (Unix seconds) beside them. Raises UserError for a pattern that
        matches nothing.
        """
        from tui_trainer import scalars

        return list(scalars.records(RunFolder(self.path), names))

    def __str__(self) -> str:
        """As the command line prints it at the end of a training."""
        from tui_trainer.result import result_lines

        run = RunFolder(self.path)
        return "\n".join(result_lines(run, whole.look(run)))


class TrainingFailed(TrainingError):
    """A training that did not come to its end: it diverged, ran out of memory, its process was killed. What it had saved is
    kept; ``result`` tells how far it came."""

    def __init__(self, result: Result, kind: str) -> None:
        super().__init__(kind, f"{result.name}: {result.ending}")
        self.result = result


def outcome_of(run: RunFolder, state: State | None = None) -> Result:
    """Of a run as its journal has it, or as it is known already."""
    state = state or whole.look(run)
    measured = state.measurements.get("test") or state.measurements.get("validation")
    metric = accuracy(state)
    return Result(
        path=run.path,
        status=state.status,
        ending=state.ending,
        epoch=state.epoch,
        step=state.step,
        seconds=state.trained_seconds,
        accuracy=state.metrics.get(metric),
        loss=state.metrics.get(metric.replace("accuracy", "loss")),
        accuracy_by_class=_by_class(measured),
        confusion=measured.confusion if measured else (),
        metrics=dict(state.metrics),
        weights=run.path / state.weights if state.weights else None,
    )


def _by_class(measured: Measurement | None) -> dict[str, float]:
    scores: Sequence[Any] = measured.classes if measured else ()
    return {score.name: score.accuracy for score in scores if score.accuracy is not None}
