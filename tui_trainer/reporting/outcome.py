"""What a server of continuous integration is told of a training or an evaluation, whatever it is written as."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.view.outcome import outcome
from tui_trainer.cli import require

if TYPE_CHECKING:
    from core.predicting import Evaluation
    from core.run.folder import RunFolder
    from core.view.state import State
    from tui_trainer.cli.require import Requirement, Verdict
    from tui_trainer.reporting.contents import Pairs

FAILED = 3
"""The exit status of a training that failed."""
SIGNAL = 128
"""What the exit status of one that a signal ended is counted from."""


class Class(NamedTuple):
    name: str
    accuracy: float | None
    images: int


class Split(NamedTuple):
    name: str
    classes: tuple[Class, ...]


class Outcome(NamedTuple):
    name: str
    """Of the run, or of the weights file."""
    what: str
    """``training`` or ``evaluation``."""
    status: int
    """Of the exit, requirements apart: 0, 3, or 128 + n."""
    kind: str
    """Of what went wrong: ``diverged``, ``lost``, ``SIGTERM`` ...; empty where all went well."""
    sentence: str
    started: float
    """Unix seconds."""
    seconds: float
    figures: Pairs
    """The few numbers that one looks for first, in words."""
    facts: Pairs
    metrics: Mapping[str, float]
    splits: tuple[Split, ...]
    requirements: tuple[Requirement, ...]
    verdicts: tuple[Verdict, ...]
    """None where it did not come to its end: nothing is required of such a one."""
    lines: tuple[str, ...] = ()
    """What was said of it at its end."""

    @property
    def missed(self) -> list[str]:
        """In words, the requirements that do not hold."""
        return [verdict.why for verdict in self.verdicts if not verdict.holds]


def judged(state: State, status: int, requirements: Sequence[Requirement]) -> list[Verdict]:
    return require.judge(requirements, require.measured(state)) if status == 0 else []


def of_run(run: RunFolder, state: State, status: int, requirements: Sequence[Requirement]) -> Outcome:
    from tui_trainer.reporting.contents import environment, facts, figures
    from tui_trainer.result import result_lines

    splits = tuple(
        Split(item.split, tuple(Class(score.name, score.accuracy, score.images) for score in item.classes))
        for item in state.measurements.values()
    )
    verdicts = judged(state, status, requirements)
    return Outcome(
        run.name, "training", status, _kind(state, status), outcome(state), state.started, state.trained_seconds,
        tuple(figures(state)), (("run", run.name), *facts(state), *environment(run, state)), state.metrics, splits,
        tuple(requirements), tuple(verdicts), tuple(result_lines(run, state)),
    )  # fmt: skip


def of_evaluation(found: Evaluation, name: str, seconds: float, requirements: Sequence[Requirement]) -> Outcome:
    metrics = metrics_of(found)
    images = {name: sum(row) for name, row in zip(found.accuracy_by_class, found.confusion, strict=True)}
    classes = tuple(Class(name, accuracy, images[name]) for name, accuracy in found.accuracy_by_class.items())
    by_class = {f"test.accuracy.{item.name}": item.accuracy for item in classes if item.accuracy is not None and item.images}
    words = ("accuracy", f"{100 * found.accuracy:.2f} %"), ("loss", f"{found.loss:.4f}"), ("images", f"{found.images:,}")
    facts = (("weights", name), ("checkpoint", found.checkpoint), ("images", f"{found.images:,}"))
    return Outcome(
        name, "evaluation", 0, "", f"evaluated on {found.images:,} images", time.time() - seconds, seconds, words, facts,
        metrics, (Split("test", classes),), tuple(requirements),
        tuple(require.judge(requirements, {**by_class, **metrics})),
    )  # fmt: skip


def metrics_of(found: Evaluation) -> dict[str, float]:
    return {"test.loss": found.loss, "test.accuracy": found.accuracy, "test.balanced_accuracy": found.balanced_accuracy}


EVALUATED = ("test.loss", "test.accuracy", "test.balanced_accuracy")


def _kind(state: State, status: int) -> str:
    if status <= SIGNAL:
        return (state.failure or state.status) if status else ""
    try:
        return signal.Signals(status - SIGNAL).name
    except ValueError:
        return f"signal {status - SIGNAL}"
