"""Numbers and sentences read off a State."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from core import events as e
from core.view import readings
from core.view.fold import fold
from core.view.state import Phase, State, Stopping, Window
from core.view.words import count
from tests.core import strategies as runs


def healthy(epochs: int = 2) -> State:
    return fold(State(), runs.healthy(epochs))


def test_eta_counts_training_and_validation_apart() -> None:
    state = healthy(2)
    # 20 steps of 0.5 s, 2 validations of 3 s, and the test at the end, which has as many images as the validation
    assert readings.eta(state, state.last_time) == pytest.approx(20 * 0.5 + 2 * 3.0 + 3.0)


def test_eta_runs_down_within_a_step_but_no_further() -> None:
    state = healthy(2)
    whole = readings.eta(state, state.last_time)
    assert whole is not None
    assert readings.eta(state, state.last_time + 0.2) == pytest.approx(whole - 0.2)
    assert readings.eta(state, state.last_time + 60.0) == pytest.approx(whole - 0.5)
    paused = fold(state, [e.RunPaused(time=state.last_time)])
    assert readings.eta(paused, paused.last_time + 60.0) == pytest.approx(whole)


def test_eta_counts_the_pass_under_way() -> None:
    state = healthy(2)
    half = replace(state, phase=Phase("validate", done=45, total=90))
    assert readings.eta(half, state.last_time) == pytest.approx(20 * 0.5 + 1.5 * 3.0 + 3.0)


def test_eta_of_a_run_that_watches_test_has_one_more_pass_at_the_end() -> None:
    told = [runs.started(monitor="test.loss", validation_images=0), runs.step_done(10), runs.validated(1, 1.0, "test")]
    state = fold(State(), [*told, e.EpochDone(epoch=1, step=10)])
    assert readings.eta(state, state.last_time) == pytest.approx(30 * 0.5 + 4 * 3.0)


def test_eta_is_not_known_before_the_first_window_nor_after_the_end() -> None:
    assert readings.eta(State(), 0.0) is None
    assert readings.eta(fold(State(), [runs.started()]), 0.0) is None
    assert readings.eta(fold(healthy(2), [e.RunStopped()]), 0.0) is None


def test_one_slow_window_does_not_move_the_throughput() -> None:
    windows = (*[Window(1, 100, 0.5)] * 5, Window(1, 100, 60.0))
    assert readings.images_per_second(replace(State(), windows=windows)) == 200.0
    assert readings.images_per_second(State()) is None


def test_fractions() -> None:
    state = fold(healthy(2), [e.EpochStarted(epoch=3, step=20), runs.step_done(25)])
    assert (readings.step_in_epoch(state), readings.epoch_fraction(state), readings.run_fraction(state)) == (5, 0.5, 0.625)
    assert (readings.epoch_fraction(State()), readings.run_fraction(State())) == (0.0, 0.0)


def test_a_silent_run_is_stale_an_ended_one_is_not() -> None:
    state = healthy(1)
    assert readings.stale(state, state.last_time + 4.0) is None
    assert readings.stale(state, state.last_time + 12.0) == pytest.approx(12.0)
    assert readings.stale(fold(state, [e.RunStopped()]), state.last_time + 99.0) is None


COUNTING = Stopping(True, "val.loss", 0.35, 0.312, 17, 170, 20, 3, 5, 0.001)


@pytest.mark.parametrize(
    ("stopping", "sentence"),
    [
        (Stopping(patience=5, metric="val.loss"), "no measurement yet; stops after 5 epochs without an improvement (val.loss)"),
        (Stopping(), "no measurement yet"),
        (Stopping(enabled=False), "off; trains all its epochs"),
        (replace(COUNTING, enabled=False), "off; best 0.3120 (val.loss) at epoch 17"),
        (
            replace(COUNTING, epochs_since=0, epoch=17),
            "best 0.3120 (val.loss) at epoch 17, the latest; stops after 5 epochs without an improvement of 0.001",
        ),
        (
            COUNTING,
            "best 0.3120 (val.loss) at epoch 17; 3 of 5 epochs without an improvement of 0.001; "
            "stops after epoch 22 unless it improves",
        ),
        (
            replace(COUNTING, metric="test.accuracy", best=0.912, min_delta=0.0, patience=1, epochs_since=1, epoch=18),
            "best 91.20 % (test.accuracy) at epoch 17; 1 of 1 epoch without an improvement; "
            "stops after epoch 18 unless it improves (watches the TEST split)",
        ),
    ],
)
def test_the_early_stopping_sentence(stopping: Stopping, sentence: str) -> None:
    assert readings.stopping_sentence(State(status="running", stopping=stopping)) == sentence


def test_the_early_stopping_sentence_of_an_ended_run() -> None:
    stopped = State(status="early-stopped", stopping=replace(COUNTING, epochs_since=5, epoch=22))
    expected = "stopped after epoch 22: best 0.3120 (val.loss) at epoch 17, 5 epochs without an improvement"
    assert readings.stopping_sentence(stopped) == expected
    finished = State(status="finished", stopping=COUNTING)
    expected = "best 0.3120 (val.loss) at epoch 17; 3 epochs without an improvement after it"
    assert readings.stopping_sentence(finished) == expected


def test_patience_left() -> None:
    assert readings.patience_left(State(stopping=COUNTING)) == 2
    assert readings.patience_left(State(stopping=replace(COUNTING, enabled=False))) is None


def test_best_and_last() -> None:
    rows = [e.EpochDone(epoch=n, metrics={"val.loss": v, "val.accuracy": v}) for n, v in enumerate((3.0, 1.0, 2.0), 1)]
    state = fold(State(), [*rows, e.EpochDone(epoch=4, metrics={"val.loss": "nan"})])
    loss = readings.best_and_last(state, "val.loss")
    assert loss is not None and (loss.best, loss.best_epoch, loss.last_epoch) == (1.0, 2, 4)
    assert math.isnan(loss.last)
    assert readings.best_and_last(state, "val.accuracy") == (3.0, 1, 2.0, 3)
    assert readings.best_and_last(state, "test.loss") is None


def test_confusions_are_the_worst_pairs() -> None:
    state = fold(State(), [runs.started(), runs.validated(1, 1.0, hits=12)])
    pairs = readings.confusions(state.measurements["validation"], 2)
    assert [(pair.truth, pair.taken_for, pair.images) for pair in pairs] == [("cat", "dog", 18), ("dog", "frog", 18)]
    assert pairs[0].share == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"), (float("inf"), "-"), (0.0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"),
        (185.0, "3 min 05 s"), (7620.0, "2 h 07 min"), (273600.0, "3 d 04 h"), (-3.0, "0.0 s"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, words: str) -> None:
    assert readings.format_duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0"), (950, "950"), (999.9, "1.00k"), (12_345, "12.3k"), (4_257_260, "4.26M"), (7.2e15, "7.20P"), (-1500, "-1.50k")],
)
def test_counts(number: float, words: str) -> None:
    assert readings.format_count(number) == words


def test_bytes_and_metrics() -> None:
    assert [readings.format_bytes(number) for number in (512, 1_572_864, 25 << 30)] == ["512 B", "1.50 MiB", "25.0 GiB"]
    assert readings.format_metric("val.accuracy", 0.84567) == "84.57 %"
    assert readings.format_metric("train.learning_rate", 0.001) == "1.00e-03"
    assert [readings.format_metric("val.loss", value) for value in (0.3124, 1e-5, 1e6)] == ["0.3124", "1e-05", "1e+06"]
    assert readings.format_metric("val.loss", math.nan) == "NaN"
    assert readings.format_metric("val.loss", None) == "-"


def test_one_is_not_many() -> None:
    assert [count(number, "class") for number in (0, 1, 2500)] == ["0 classes", "1 class", "2,500 classes"]
    assert count(1, "thread") == "1 thread"


def test_figures_of_a_hostile_journal_stay_countable() -> None:
    started = e.RunStarted(epochs=10**400, steps_per_epoch=10**400, classes=("a", "b"))
    step = e.StepDone(step=1, epoch=1, steps=1, images=1, seconds=1e300)
    counted = e.ValidationDone(correct=(1, 1), images=(1, 1), confusion=((-1, 1), (2, -5)))
    state = fold(State(), [started, step, e.SettingChanged(key="epochs", value=1e308), counted])
    assert state.epochs == 1_000_000
    assert readings.eta(state, 0.0) is not None
    assert readings.confusions(state.measurements["validation"], 5) == []


def test_a_run_that_holds_nothing_out_trains_all_its_epochs_from_the_first_word_on() -> None:
    assert readings.stopping_sentence(State(steps_per_epoch=10)) == "off; trains all its epochs"


def test_what_hinders_the_view_of_another_machine_comes_before_what_is_seen_of_it() -> None:
    silent = replace(healthy(2), status="running", address="ssh://far/runs/a")
    later = silent.last_time + 100.0
    assert readings.trouble(silent, later) == "no sign of life for 1 min 40 s"
    assert readings.trouble(replace(silent, fetched=0.375), later) == "fetching its journal 38%"
    cut = replace(silent, away=later - 12.0, fetched=0.375)
    assert readings.trouble(cut, later) == "no link for 12 s, trying again"
    assert readings.trouble(cut, later - 60.0) == "no link for 0.0 s, trying again"
