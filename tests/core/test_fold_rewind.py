"""A resume takes back what was said after its checkpoint's step, and nothing else."""

from __future__ import annotations

import pytest

from core import events as e
from core.events import Event
from core.view.fold import fold
from core.view.state import RECENT_POINTS, State
from tests.core import strategies as runs


def test_a_resume_at_an_epochs_end_equals_never_having_gone_on() -> None:
    lost: list[Event] = [*runs.epoch_events(3, 0.9)[:-1], e.RemarkAdded(step=25, text="a person's")]
    state = fold(fold(State(), runs.healthy(2)), runs.numbered([*lost, runs.resumed(20, 3)], first=100))
    kept = fold(State(), runs.healthy(2))
    assert state.series == kept.series
    assert (state.metrics, state.rows, state.measurements) == (kept.metrics, kept.rows, kept.measurements)
    assert (state.stopping, state.checkpoints) == (kept.stopping, kept.checkpoints)
    assert [(mark.step, mark.kind) for mark in state.marks] == [(25, "remark"), (20, "resume")]
    assert (state.step, state.epoch, state.sessions) == (20, 3, 2)


def test_a_measurement_made_again_after_a_kill_before_its_checkpoint_is_one_point() -> None:
    events = [runs.started(), *runs.epoch_events(1, 1.0)]
    again = next(index for index, event in enumerate(events) if isinstance(event, e.ValidationDone))
    state = fold(State(), [*events, runs.resumed(10, 1), *events[again:]])
    assert state.series == fold(State(), events).series


def test_going_on_after_a_resume_gives_one_continuous_history() -> None:
    events = [runs.started(), *runs.epoch_events(1, 1.0), *map(runs.step_done, range(11, 18)), runs.resumed(14, 2)]
    events += [*map(runs.step_done, range(15, 21)), *runs.epoch_events(2, 0.5)[11:]]
    straight = [runs.started(), *runs.epoch_events(1, 1.0), *runs.epoch_events(2, 0.5)]
    resumed, never_left = fold(State(), events), fold(State(), straight)
    assert resumed.series == never_left.series
    assert (resumed.rows, resumed.metrics) == (never_left.rows, never_left.metrics)


def test_a_resume_within_an_epoch_takes_its_first_measurement_back_to_none() -> None:
    state = fold(State(), [*runs.healthy(1), runs.resumed(5, 1)])
    assert (state.measurements, state.rows, state.checkpoints) == ({}, (), ())
    assert "val.loss" not in state.metrics
    assert state.metrics["train.loss"] == pytest.approx(2 / 6)
    assert state.stopping.best is None


def test_a_bin_that_straddles_is_rebuilt_from_recent_points() -> None:
    told = [runs.step_done(step) for step in range(1, 3001)]
    state = fold(State(), told)
    assert state.series["train.loss"].width == 4
    cut = fold(state, [runs.resumed(2501, 1)])
    assert cut.series["train.loss"].bins == fold(State(), told[:2501]).series["train.loss"].bins


def test_beyond_the_recent_points_a_straddling_bin_stays_whole() -> None:
    state = fold(State(), [runs.step_done(step) for step in range(1, 5001)])
    series = fold(state, [runs.resumed(1001, 1)]).series["train.loss"]
    assert RECENT_POINTS < 5000 - 1001 and series.recent == ()
    assert series.bins[-1].step == 1001
    assert series.last == series.bins[-1].mean


def test_divergence_after_the_step_is_forgotten() -> None:
    state = fold(State(), [runs.step_done(1), runs.step_done(2, "nan"), runs.resumed(1, 1)])
    assert state.series["train.loss"].diverged_at is None
    assert state.metrics["train.loss"] == 1.0


def test_resuming_twice_within_one_epoch() -> None:
    once = [runs.started(), *map(runs.step_done, range(1, 9)), runs.resumed(6, 1), *map(runs.step_done, range(7, 10))]
    state = fold(State(), [*once, runs.resumed(8, 1), runs.step_done(9), runs.step_done(10)])
    assert [point.step for point in state.series["train.loss"].points()] == list(range(1, 11))
    assert (state.sessions, len(state.marks)) == (3, 2)


def test_a_second_start_takes_everything_back() -> None:
    state = fold(State(), [*runs.healthy(1), runs.started()])
    assert (state.step, state.series, state.metrics, state.rows, state.sessions) == (0, {}, {}, (), 2)


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_early_stopping_is_known_however_far_back_a_run_was_taken(epochs: int) -> None:
    back = e.RunRewound(step=epochs * runs.STEPS, epoch=epochs + 1, checkpoint="step-1", asked=True)
    state = fold(State(), [*runs.healthy(30), back])
    kept = fold(State(), runs.healthy(epochs))
    assert (state.stopping, state.rows, state.series) == (kept.stopping, kept.rows, kept.series)


def test_epochs_without_an_improvement_are_counted_again() -> None:
    losses = [1.0, 0.5, 0.4995, 0.6, *[0.7] * 20]  # the third is better, but not by 0.001
    told: list[Event] = [runs.started()]
    for epoch, loss in enumerate(losses, 1):
        best = min(epoch, 2)
        told += [*runs.epoch_events(epoch, loss)[:-2], runs.watched(epoch, best, losses[best - 1], patience=50)]
    state = fold(State(), [*told, e.RunRewound(step=4 * runs.STEPS, epoch=5)])
    assert (state.stopping.best, state.stopping.best_epoch, state.stopping.epochs_since) == (0.5, 2, 2)


def test_a_rewind_says_which_settings_are_as_they_were() -> None:
    longer = e.SettingChanged(step=15, key="epochs", value=9, previous=4, also=(e.Setting("early_stopping.enabled", 0.0, 1.0),))
    settings = (e.Setting("epochs", 4, 9), e.Setting("early_stopping.enabled", 1.0, 0.0))
    back = e.RunRewound(step=10, epoch=2, checkpoint="step-00000010", reason="as asked", settings=settings)
    events = [*runs.healthy(1), longer]
    assert (fold(State(), events).epochs, fold(State(), events).stopping.enabled) == (9, False)
    state = fold(State(), [*events, back])
    assert (state.epochs, state.stopping.enabled) == (4, True)
    words = "went back to step-00000010: as asked, epochs 9 -> 4, early stopping off -> on"
    assert [(mark.kind, mark.text) for mark in state.marks] == [("rewind", words)]
