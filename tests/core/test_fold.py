"""The fold: what each event does to the State, and what holds for any sequence of them."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import events as e
from core.events import Event
from core.view import state as limits
from core.view.fold import fold
from core.view.state import State, Stopping
from tests.core import strategies as runs


@settings(max_examples=300, deadline=None)
@given(runs.journals, st.data())
def test_any_cut_of_the_events_gives_the_same_state(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    assert fold(fold(State(), events[:cut]), events[cut:]) == fold(State(), events)


@settings(max_examples=100, deadline=None)
@given(runs.journals)
def test_one_by_one_gives_the_same_state_also_through_the_wire(events: list[Event]) -> None:
    state = State()
    for event in events:
        state = fold(state, [e.decode(e.encode(event)) if not isinstance(event, e.Unknown) else event])
    assert state == fold(State(), events)


@pytest.mark.parametrize("batch", [1, 7, 333, 5000])
def test_long_runs_fold_alike_in_any_batches(batch: int) -> None:
    told: list[Event] = [runs.started(steps_per_epoch=1000, epochs=99)]
    told += [runs.step_done(step, "nan" if step == 4000 else None) for step in range(1, 5000, 3)]
    told += [runs.resumed(4003, 5), *(runs.step_done(step) for step in range(4004, 6000))]
    events, state = runs.numbered(told), State()
    for start in range(0, len(events), batch):
        state = fold(state, events[start : start + batch])
    assert state == fold(State(), events)


@settings(max_examples=100, deadline=None)
@given(runs.frequent, st.data())
def test_what_is_said_every_second_folds_alike_in_any_batches(events: list[Event], data: st.DataObject) -> None:
    cut, state = data.draw(st.integers(0, len(events))), State()
    for event in events:
        state = fold(state, [event])
    assert fold(State(), events) == state == fold(fold(State(), events[:cut]), events[cut:])


def test_folding_leaves_the_state_before_as_it_was() -> None:
    events = runs.healthy()
    state = fold(State(), events[:20])
    copy = pickle.loads(pickle.dumps(state))
    fold(state, events[20:])
    assert state == copy


def test_reading_events_again_changes_nothing() -> None:
    events = runs.healthy()
    state = fold(State(), events)
    assert fold(state, events[10:]) == state


def test_a_healthy_run() -> None:
    state = fold(State(), runs.healthy(3))
    assert (state.status, state.name, state.epoch, state.step, state.total_steps) == ("running", "demo", 3, 30, 40)
    assert [row.epoch for row in state.rows] == [1, 2, 3]
    assert state.rows[-1].metrics["val.loss"] == pytest.approx(1 / 3)
    assert state.metrics["val.loss"] == pytest.approx(1 / 3)
    assert state.metrics["train.loss"] == pytest.approx(2 / 31)
    assert state.trained_seconds == pytest.approx(15.0)
    assert [item.checkpoint for item in state.checkpoints if item.best] == ["step-00000030"]
    assert state.phase is None
    assert state.stopping == Stopping(True, "val.loss", 1 / 3, 1 / 3, 3, 30, 3, 0, 2, 0.001, True)


def test_bins_cover_every_point() -> None:
    events = runs.numbered([runs.step_done(step, float(step % 50)) for step in range(1, 20_001)])
    series = fold(State(), events).series["train.loss"]
    assert len(series.bins) <= limits.WHOLE_BINS
    assert sum(item.count for item in series.bins) == 20_000
    assert len({item.step // series.width for item in series.bins}) == len(series.bins)
    assert min(point.low for point in series.points()) == 0.0
    assert max(point.high for point in series.points()) == 49.0
    assert series.recent[-1] == (20_000, 0.0)


def test_memory_is_bounded() -> None:
    told: list[Event] = []
    for number in range(3000):
        told += [
            e.MessageLogged(text="x" * 10_000), e.RemarkAdded(step=number, text="x"), runs.validated(number, 1.0),
            e.StepDone(step=number, metrics={f"train.{number}": 1.0}), e.EpochDone(epoch=number, step=number),
            e.CommandAccepted(id=str(number)), e.CheckpointSaved(checkpoint=str(number), step=number),
            runs.watched(number, 1, 1.0),
        ]  # fmt: skip
    state = fold(State(), told)
    assert len(state.messages) == limits.KEPT_MESSAGES
    assert len(state.messages[0].text) < 5000
    assert len(state.series) == len(state.metrics) == limits.KEPT_METRICS
    assert (len(state.rows), len(state.marks)) == (limits.KEPT_EPOCHS, limits.KEPT_MARKS)
    assert (len(state.answers), len(state.checkpoints)) == (limits.KEPT_ANSWERS, limits.KEPT_CHECKPOINTS)
    assert len(state.earlier_measurements) == len(state.earlier_stopping) == limits.KEPT_BEFORE


def test_a_diverged_loss_is_kept_out_of_the_bins() -> None:
    state = fold(State(), [runs.step_done(1), runs.step_done(2, "nan"), runs.step_done(3, "inf")])
    series = state.series["train.loss"]
    assert (series.diverged_at, series.last, len(series.bins)) == (2, math.inf, 1)
    assert state.metrics["train.loss"] == math.inf


def test_steps_out_of_order_join_the_last_bin() -> None:
    series = fold(State(), [runs.step_done(9, 1.0), runs.step_done(4, 3.0)]).series["train.loss"]
    assert [(point.step, point.low, point.mean, point.high) for point in series.points()] == [(9, 1.0, 2.0, 3.0)]


def test_class_scores_compare_with_the_measurement_before() -> None:
    before = runs.validated(1, 1.0, hits=12)
    state = fold(State(), [runs.started(), before, runs.validated(2, 0.9, hits=15)])
    score = state.measurements["validation"].classes[0]
    assert (score.name, score.accuracy) == ("cat", 0.5)
    assert score.change == pytest.approx(0.1)


def test_measuring_other_weights_replaces_the_measurement_but_is_no_point() -> None:
    events = [runs.started(), runs.validated(1, 1.0, "test"), runs.validated(2, 0.7, "test", checkpoint="step-00000010")]
    state = fold(State(), events)
    assert state.measurements["test"].checkpoint == "step-00000010"
    assert state.metrics["test.loss"] == 0.7
    assert [point.step for point in state.series["test.loss"].points()] == [10]
    assert state.measurements["test"].classes[0].previous is None


@pytest.mark.parametrize(
    ("ending", "status", "words"),
    [
        (e.RunFinished(), "finished", "4 epochs done"),
        (e.RunFinished(early=True), "early-stopped", "early stopping"),
        (e.RunStopped(reason="signal 15"), "stopped", "signal 15"),
        (e.RunStopped(discarded=True), "discarded", "discarded on request"),
        (e.RunFailed(kind="diverged", reason="NaN at step 3"), "failed", "NaN at step 3"),
    ],
)
def test_endings(ending: Event, status: str, words: str) -> None:
    state = fold(State(), [runs.started(), ending])
    assert (state.status, state.ending, state.ended) == (status, words, True)
    again = fold(state, [e.PhaseStarted(phase="prepare"), runs.resumed(0, 1)])
    assert (again.status, again.ending, again.failure, again.sessions) == ("running", "", "", 2)


def test_the_first_phase_after_an_ending_is_a_session_that_prepares() -> None:
    state = fold(State(), [runs.started(), e.RunStopped(), e.PhaseStarted(phase="prepare", total=4)])
    assert state.status == "preparing"
    state = fold(state, [e.PhaseProgressed(phase="prepare", done=3), e.PhaseProgressed(phase="other", done=1)])
    assert state.phase is not None and (state.phase.done, state.phase.total) == (3, 4)


def test_live_settings_show_at_once() -> None:
    changes = [("epochs", 9.0), ("early_stopping.patience", 7.0), ("early_stopping.enabled", 0.0), ("learning_rate", 1e-4)]
    state = fold(State(), [runs.started(), *(e.SettingChanged(step=3, key=key, value=value) for key, value in changes)])
    assert (state.epochs, state.stopping.patience, state.stopping.enabled) == (9, 7, False)
    assert [mark.text for mark in state.marks] == [
        "epochs 0 -> 9", "patience 0 -> 7", "early stopping off -> off", "learning rate 0 -> 0.0001",
    ]  # fmt: skip


def test_a_heartbeat_touches_nothing_but_ages() -> None:
    before = fold(State(), runs.healthy(1))
    after = fold(before, [e.Heartbeat(seq=before.seq + 1, time=5000.0, step=99, step_age=2.5)])
    assert (after.step_age, after.last_time, after.step, after.status) == (2.5, 5000.0, before.step, "running")
    assert after.series is before.series


def test_stop_after_epoch_and_answers() -> None:
    answers: list[Event] = [e.CommandAccepted(id="a", command="StopAfterEpoch"), e.CommandRejected(id="b", reason="no")]
    state = fold(State(), [runs.started(), *answers])
    assert state.stop_after_epoch
    assert [(answer.id, answer.accepted, answer.text) for answer in state.answers] == [("a", True, ""), ("b", False, "no")]
