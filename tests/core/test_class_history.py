"""Accuracy by class over the epochs, in the State: bounded, the same for every cut, and rewound with everything else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core import events as e
from core.events import Event
from core.view import class_history
from core.view.class_history import KEPT_CLASSES, KEPT_POINTS, ClassHistory
from core.view.fold import fold
from core.view.state import State
from tests.core import strategies as runs


def measured(epoch: int, hits: int = 20, step: int | None = None, classes: int = 3) -> e.ValidationDone:
    step = epoch * runs.STEPS if step is None else step
    return e.ValidationDone(epoch=epoch, step=step, metrics={}, correct=(hits,) * classes, images=(30,) * classes)


def history(events: list[Event]) -> ClassHistory:
    return fold(State(), runs.numbered(events)).class_history["validation"]


def test_each_measurement_is_a_point() -> None:
    points = history([runs.started(), *(measured(epoch, 10 + epoch) for epoch in (1, 2, 3))]).points
    assert [(point.epoch, point.correct) for point in points] == [(1, (11,) * 3), (2, (12,) * 3), (3, (13,) * 3)]
    assert points[0].accuracy(0) == 11 / 30 and points[0].accuracy(3) is None


def test_other_weights_than_those_of_the_moment_are_none() -> None:
    state = fold(State(), runs.numbered([runs.started(), runs.validated(2, 0.5, "test", checkpoint="step-00000010")]))
    assert state.class_history == {}


def test_a_measurement_made_again_takes_its_place() -> None:
    assert [point.correct[0] for point in history([measured(1), measured(2, 5), measured(2, 6)]).points] == [20, 6]


def test_a_resume_takes_later_points_back() -> None:
    told = [runs.started(), *map(measured, range(1, 6)), runs.resumed(30, 4)]
    assert history(told) == history([runs.started(), *map(measured, range(1, 4))])
    assert history([*told, measured(4), measured(5)]) == history([runs.started(), *map(measured, range(1, 6))])
    assert fold(State(), runs.numbered([measured(1), runs.started()])).class_history == {}


def test_a_long_run_keeps_its_latest_point_and_a_bounded_number() -> None:
    found = history([measured(epoch, epoch % 30) for epoch in range(1, 2001)])
    assert KEPT_POINTS // 2 < len(found.points) <= KEPT_POINTS
    assert found.points[-1].epoch == 2000 and found.points[0].epoch < 2 * found.width
    assert len(history([measured(1, classes=KEPT_CLASSES + 5)]).points[0].images) == KEPT_CLASSES


@given(st.lists(st.tuples(st.integers(-(2**53), 2**53), st.integers(-(2**53), 2**53)), max_size=30))
def test_whatever_a_journal_says_the_points_are_in_order(places: list[tuple[int, int]]) -> None:
    found = ClassHistory()
    for epoch, step in places:
        found = class_history.extended(found, epoch, step, (1, 2), (4, 0))
    steps = [point.step for point in found.points]
    assert steps == sorted(set(steps))
    assert not places or steps[-1] == places[-1][1]


def test_hundreds_of_points_out_of_order_stay_bounded() -> None:
    found = ClassHistory()
    for number in range(3 * KEPT_POINTS):
        found = class_history.extended(found, number * (-1) ** number, number, (1,), (2,))
    assert 0 < len(found.points) <= KEPT_POINTS


said = st.one_of(
    st.builds(measured, st.integers(1, 600), st.integers(0, 30)),
    st.builds(measured, st.integers(1, 600), st.integers(0, 30)),
    st.builds(runs.resumed, st.integers(0, 6000), st.integers(1, 600)),
)


@given(st.lists(said, max_size=60), st.data())
def test_every_cut_gives_the_same(told: list[Event], data: st.DataObject) -> None:
    events, cut = runs.numbered(told), data.draw(st.integers(0, len(told)))
    assert fold(fold(State(), events[:cut]), events[cut:]) == fold(State(), events)
