"""Runs held against each other, as functions of their states and recipes alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core import events as e
from core import recipe
from core.events import Event
from core.run.folder import RunFile, RunFolder
from core.view.comparing import (
    BYS,
    COLUMNS,
    By,
    Subject,
    best_is_low,
    bests,
    classes,
    differences,
    extreme,
    level,
    placed,
    reach,
    scalars,
    splits,
    standings,
    subject,
)
from core.view.comparing.along import knots
from core.view.comparing.recipes import CHANGED_LIVE, words
from core.view.fold import fold
from core.view.series import Series
from core.view.state import State
from tests.core import strategies as runs


def told(name: str, *events: Event, recipe: dict[str, object] | None = None) -> Subject:
    return Subject(name, fold(State(), runs.numbered(events)), recipe)


def paced(seconds: float, epochs: int = 2, **changes: object) -> list[Event]:
    """A healthy run with such steps."""
    events = [replace(event, seconds=seconds) if isinstance(event, e.StepDone) else event for event in runs.healthy(epochs)]
    return [replace(event, **changes) if isinstance(event, e.RunStarted) else event for event in events]


# Along what


def test_along_steps_epochs_and_time() -> None:
    state = fold(State(), paced(0.25))
    assert [reach(state, by) for by in BYS] == [20, 2.0, 5.0]
    assert [item.step for item in placed(state.series["val.loss"], state, "step").bins] == [10, 20]
    assert [item.step for item in placed(state.series["val.loss"], state, "epoch", 1000).bins] == [1000, 2000]
    assert [item.step for item in placed(state.series["val.loss"], state, "time", 1000).bins] == [2500, 5000]


def test_time_leaves_pauses_out_and_counts_what_was_taken_back() -> None:
    """Thirty steps of half a second each, ten of them again from a checkpoint, a day later."""
    again = [replace(event, time=90_000.0, seq=-1) for event in (runs.resumed(20, 3), *map(runs.step_done, range(21, 31)))]
    state = fold(State(), [*runs.healthy(3), *again])
    assert state.trained_seconds == reach(state, "time") == 20.0
    along = knots(state, "time")
    assert along and (along.place(20), along.place(21)) == (10.0, 15.5)


def test_the_clock_of_a_long_run_is_bounded_and_the_same_in_any_batches() -> None:
    events = runs.numbered([runs.started(), *(runs.step_done(step) for step in range(1, 9000))])
    whole, halves = fold(State(), events), fold(fold(State(), events[:4321]), events[4321:])
    assert whole == halves and len(whole.clock.bins) <= 1024
    along = knots(whole, "time")
    assert along and along.place(8999) == pytest.approx(4499.5)
    assert along.place(4000) == pytest.approx(2000.0, rel=1e-3)


def test_no_metric_can_take_the_place_of_the_clock() -> None:
    odd = replace(runs.step_done(1), metrics={"\0": 77.0, "train.loss": 1.0})
    state = fold(State(), [odd])
    assert [item.high for item in state.clock.bins] == [0.5] and "\0" not in state.series


@settings(max_examples=100, deadline=None)
@given(runs.journals, st.sampled_from(BYS))
def test_places_rise_with_the_steps_whatever_was_told(events: list[Event], by: By) -> None:
    state = fold(State(), events)
    for series in state.series.values():
        found = [item.step for item in placed(series, state, by, 1000).bins]
        assert found == sorted(found)
    assert reach(state, by) >= 0


def test_what_is_not_known_has_no_place() -> None:
    series = Series(bins=fold(State(), [runs.step_done(1)]).series["train.loss"].bins)
    assert placed(series, State(step=1), "epoch") == placed(series, State(step=1), "time") == Series()
    assert [reach(State(), by) for by in BYS] == [0, 0, 0]


def test_the_same_place_is_the_last_that_all_have_reached_which_have_begun() -> None:
    found = [told("a", *paced(0.5, 3)), told("b", *paced(0.25, 2)), told("new")]
    same = level(found, "epoch")
    assert same and same.place == 2.0
    assert dict(same.rows)["val.loss"] == (0.5, 0.5, None)
    assert dict(same.rows)["train.loss"] == (2 / 21, 2 / 21, None)
    by_time = level(found, "time")
    assert by_time and by_time.place == 5.0
    assert dict(by_time.rows)["val.loss"] == (1.0, 0.5, None), "a measurement that is still to come does not count"
    assert level([found[0], found[2]], "step") is None


# Scalars


def test_scalars_of_any_run_losses_first() -> None:
    odd = replace(runs.step_done(1), metrics={"train.zeal": 1.0, "system.images_per_second": 2.0, "train.learning_rate": 3.0})
    names = scalars([fold(State(), runs.healthy(1)), fold(State(), [odd]), State()])
    assert names == [
        "train.loss", "val.loss", "train.accuracy", "val.accuracy", "train.learning_rate", "system.images_per_second",
        "train.zeal",
    ]  # fmt: skip


def test_the_better_of_two() -> None:
    assert [best_is_low(name) for name in ("val.loss", "test.tta_accuracy", "train.learning_rate")] == [True, False, None]
    losses: tuple[e.Number, ...] = (3.0, 1.0, 2.0, "nan")
    series = fold(State(), [runs.step_done(step, loss) for step, loss in enumerate(losses, 1)]).series["train.loss"]
    assert extreme(series, low=True) == (1.0, 2) and extreme(series, low=False) == (3.0, 1)
    assert extreme(Series(), low=True) is None


# How they stand


def ended(name: str, loss: float, test: float, seconds: float = 0.5) -> Subject:
    done = [
        runs.started(), *(replace(runs.step_done(step), seconds=seconds) for step in range(1, 11)), runs.validated(1, loss),
        runs.watched(1, 1, loss), e.RunFinished(step=10, epoch=1, metrics={"test.accuracy": test}),
    ]  # fmt: skip
    return told(name, *done, recipe={"seed": 7})


def test_how_a_run_stands() -> None:
    (found,) = standings([ended("a", 0.5, 0.9)])
    assert (found.state, found.metric, found.best, found.best_epoch) == ("finished", "val.loss", 0.5, 1)
    assert (found.test_accuracy, found.tta_accuracy, found.seed, found.parameters) == (0.9, None, 7, 4_257_260)
    assert (found.trained_seconds, found.images_per_second) == (5.0, 200.0)
    assert standings([told("empty")])[0].best is None


def test_the_best_of_each_column_ties_included() -> None:
    found = standings([ended("a", 0.5, 0.9), ended("b", 0.4, 0.9, 0.25), ended("c", 0.4, 0.8, 0.5)])
    assert bests(found) == {
        "best": {1, 2}, "test_accuracy": {0, 1}, "tta_accuracy": set(), "train_loss": set(), "trained_seconds": {1},
        "images_per_second": {1},
    }  # fmt: skip


def test_what_cannot_be_compared_is_not_marked() -> None:
    on_test = told("b", runs.started(monitor="test.loss"), replace(runs.watched(1, 1, 0.1), metric="test.loss"))
    found = standings([ended("a", 0.5, 0.9), on_test])
    assert not bests(found)["best"], "a loss on another split"
    assert not bests(found)["test_accuracy"], "one run alone has it"
    trains = told("c", runs.started(), *map(runs.step_done, range(1, 5)))
    assert not bests(standings([ended("a", 0.5, 0.9), trains]))["trained_seconds"], "it is not done yet"
    diverged = told("d", runs.started(), runs.step_done(1, "nan"), runs.step_done(2, "nan"))
    assert math.isnan(standings([diverged])[0].train_loss or 0)
    assert not bests(standings([ended("a", 0.5, 0.9), diverged]))["train_loss"]


@settings(max_examples=60, deadline=None)
@given(st.lists(runs.journals, min_size=2, max_size=4))
def test_whoever_is_marked_is_beaten_by_nobody(journals: list[list[Event]]) -> None:
    found = standings([told(str(place), *events) for place, events in enumerate(journals)])
    for column, places in bests(found).items():
        assert column in COLUMNS and len(places) < len(found)
        marked = {getattr(found[place], column) for place in places}
        assert len(marked) <= 1 and all(math.isfinite(value) for value in marked)


# Recipes


def recipes(*overrides: list[str]) -> list[Subject]:
    tables = [recipe.to_table(recipe.load("quickstart", changes)) for changes in overrides]
    return [Subject(str(place), State(), table) for place, table in enumerate(tables)]


def test_only_keys_that_differ_and_how_many_do_not() -> None:
    found = differences(recipes([], ["optimizer.lr=0.1"], ["optimizer.lr=0.1", "optimizer.clip_norm=1.0"]))
    assert [tuple(row) for row in found.rows] == [
        ("optimizer.lr", ("0.005", "0.1", "0.1")), ("optimizer.clip_norm", ("0", "0", "1")),
    ]  # fmt: skip
    assert found.same > 40 and not found.unread
    alike = differences(recipes([], []))
    assert not alike.rows and alike.same == found.same + 2


def test_a_key_that_one_recipe_has_alone_differs() -> None:
    found = differences(recipes([], ["parameter_limit=100000"]))
    assert [tuple(row) for row in found.rows] == [("parameter_limit", (None, "100000"))]


def test_a_recipe_that_cannot_be_read_is_said_and_not_compared() -> None:
    one, other = recipes([], ["seed=3"])
    found = differences([one, Subject("broken", State()), other])
    assert [tuple(row) for row in found.rows] == [("seed", ("0", None, "3"))] and found.unread == (1,)
    assert differences([Subject("a", State()), Subject("b", State())]) == ((), 0, (0, 1))


def test_what_was_changed_live_is_a_difference() -> None:
    one, other = recipes([], [])
    change = e.SettingChanged(step=7, epoch=1, key="learning_rate", value=0.001, previous=0.005)
    (row,) = differences([one, other._replace(state=fold(State(), [runs.started(), change]))]).rows
    assert row.key == CHANGED_LIVE and row.values[0] is None and "step 7: learning rate" in (row.values[1] or "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"), (0.001, "0.001"), (1e-8, "1e-08"), (0.12345678, "0.12345678"), ([1, 2], "1, 2"), ([], "none"),
        ([{"name": "crop", "padding": 2}, {"name": "flip"}], "crop(padding=2), flip"), ([{"size": 24}], "(size=24)"),
    ],
)  # fmt: skip
def test_values_in_words(value: object, text: str) -> None:
    assert words(value) == text


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_two_different_figures_never_read_the_same(one: float, other: float) -> None:
    assert (words(one) == words(other)) == (repr(one) == repr(other))


def test_what_an_older_version_left_out_is_its_default(runs_folder: RunFolder) -> None:
    table = recipe.to_table(recipe.load("quickstart"))
    del table["averaging"]
    runs_folder.create(RunFile(name="old", recipe=table))
    old = subject(runs_folder, State())
    assert not differences([old, *recipes([])]).rows


@pytest.fixture
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return RunFolder(tmp_path_factory.mktemp("runs") / "old")


def test_a_recipe_of_another_version_is_compared_as_it_is(runs_folder: RunFolder) -> None:
    runs_folder.create(RunFile(name="new", recipe={"name": "x", "from_the_future": 1}))
    assert subject(runs_folder, State()).recipe == {"name": "x", "from_the_future": 1}
    runs_folder.run_file.write_text("{")
    assert subject(runs_folder, State()).recipe is None


# Classes


def measured(hits: int, *names: str, split: e.Split = "validation") -> Subject:
    return told(str(hits), runs.started(classes=names or runs.CLASSES), runs.validated(1, 0.5, split, hits=hits))


def test_accuracy_by_class_and_the_difference_to_the_first_and_the_best() -> None:
    found = classes([measured(15), measured(18), measured(12)], "validation")
    assert [row.name for row in found.rows] == ["cat", "dog", "frog"] and found.epochs == (1, 1, 1)
    row = found.rows[0]
    assert row.accuracies == (0.5, 0.6, 0.4) and row.spread == pytest.approx(0.2)
    assert row.differences(0) == pytest.approx((0.0, 0.1, -0.1))
    assert row.differences(None) == pytest.approx((-0.1, 0.0, -0.2))
    assert found.whole.accuracies == (0.5, 0.6, 0.4) and found.notes == ("", "", "")


def test_other_classes_are_said_so() -> None:
    found = classes([measured(15), measured(18, "eel", "dog", "cow")], "validation")
    assert [(row.name, row.accuracies) for row in found.rows] == [
        ("cat", (0.5, None)), ("dog", (0.5, 0.6)), ("frog", (0.5, None)), ("eel", (None, 0.6)), ("cow", (None, 0.6)),
    ]  # fmt: skip
    assert found.notes == ("", "other classes: 1 of its 3 classes in common with the first")
    assert found.rows[3].differences(0) == (None, None)


def test_why_a_run_has_none_of_them() -> None:
    unwatched = told("u", runs.started(monitor=""))
    found = classes([told("empty"), measured(15), unwatched, told("fresh", runs.started())], "validation")
    assert found.notes == (
        "has said nothing yet", "", "holds nothing out to validate on", "validation was not measured"
    )  # fmt: skip
    assert classes([measured(15)], "test").notes == ("test is measured at its end",)


def test_the_split_that_most_have_measured_comes_first() -> None:
    both = told("both", runs.started(), runs.validated(1, 0.5), runs.validated(1, 0.5, "test"))
    assert splits([both, both]) == ["test", "validation"]
    assert splits([both, measured(15)]) == ["validation", "test"]
    assert splits([told("empty")]) == []
