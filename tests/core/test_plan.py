"""The rates that are planned are those that a training takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import commands
from core.errors import UserError
from core.events import StepDone
from core.run.folder import RunFolder
from core.training import trainer as trainers
from core.view import plan
from core.view.state import State
from tests.core.training import STEPS, Script, new_run, tiny, train


@pytest.mark.parametrize(
    "schedule", [{"name": "cosine", "per": "step"}, {"name": "linear", "per": "epoch", "warmup_epochs": 1}]
)
def test_a_change_comes_to_what_was_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: dict[str, object]
) -> None:
    monkeypatch.setattr(trainers, "WINDOW", 0.0)
    run, script, planned = new_run(tmp_path / "run", tiny(schedule=schedule)), Script(), list[plan.Plan]()
    script.at = {4: [commands.SetLearningRate(value=0.02)], 8: [commands.SetEpochs(value=4)]}

    def look(trainer: trainers.Trainer) -> None:
        if trainer.progress.step == 8 and not planned:
            trainer.saver.sync_journal()
            here = State(step=8, epoch=2, steps_per_epoch=STEPS)  # a worker's own words would say so
            planned.append(plan.read(run, here).changed("epochs", 4))

    script.watch = look
    said = train(run, script)
    taken = {event.step - 1: event.metrics["train.learning_rate"] for event in said if isinstance(event, StepDone)}
    (found,) = planned
    assert (found.step, found.epochs, found.last) == (8, 4, 4 * STEPS)
    assert {step: found.rate_at(step) for step in range(8, 4 * STEPS)} == {step: taken[step] for step in range(8, 4 * STEPS)}
    assert {point.step: point.mean for point in found.rates()[:-1]} == {step: taken[step] for step in range(8, 4 * STEPS)}


def test_a_long_plan_is_a_few_points_and_reaches_the_end() -> None:
    whole = plan.Plan(tiny(epochs=100_000), (), 1_000, step=5)
    points = whole.rates(50)
    assert len(points) == 50 and (points[0].step, points[-1].step) == (5, 100_000_000)


def test_at_the_end_of_the_plan_one_point_is_left() -> None:
    assert [point.step for point in plan.Plan(tiny(), (), STEPS, step=3 * STEPS, validated=3).rates()] == [3 * STEPS]


def test_a_run_that_has_not_begun_has_no_plan(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="training has not begun yet"):
        plan.read(new_run(tmp_path / "run", tiny()), State())
    with pytest.raises(UserError, match="not a run"):
        plan.read(RunFolder(tmp_path / "gone"), State(steps_per_epoch=5))
