"""A stretch of a run from its journal: the very points that the fold of all of it has there."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import events as e
from core.events import Event
from core.run.journal import JournalWriter
from core.view.fold import fold
from core.view.series import RECENT_POINTS, RawPoint, Series, extended
from core.view.state import State
from core.view.window import Slices, Stretch, points, read

SMALL = 300
"""Bytes of a slice: two or three events."""


def step_done(step: int, loss: float) -> e.StepDone:
    return e.StepDone(step=step, steps=1, images=10, seconds=0.1, metrics={"train.loss": loss})


def going(*runs: tuple[int, int]) -> list[Event]:
    """From a step to another, one run after the other, each later one resumed; losses tell which run they are of."""
    told = list[Event]()
    for number, (first, last) in enumerate(runs):
        told.append(e.RunResumed(step=first) if number else e.RunStarted())
        told += [step_done(step, number + step / 1000) for step in range(first + 1, last + 1)]
    return told


def written(path: Path, told: list[Event]) -> Path:
    with JournalWriter(path) as journal:
        for event in told:
            journal.append(event)
    return path


def stretch(path: Path, first: int, last: int) -> Stretch:
    found = read(Slices(path, SMALL), first, last, lambda: True)
    assert found
    return found


def recent(series: dict[str, Series]) -> tuple[RawPoint, ...]:
    return series["train.loss"].recent if "train.loss" in series else ()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), min_size=1, max_size=5), st.integers(0, 60), st.integers(0, 60)
)
def test_it_is_what_the_whole_fold_has_there(runs: list[tuple[int, int]], one: int, other: int) -> None:
    first, last = sorted((one, other))
    told = going((0, runs[0][1]), *((start, start + count) for start, count in runs[1:]))
    with TemporaryDirectory() as folder:
        found = stretch(written(Path(folder) / "events.jsonl", told), first, last)
    expected = [point for point in recent(fold(State(), told).series) if first <= point[0] <= last]
    assert list(recent(found.series)) == expected


def test_only_slices_that_matter_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "events.jsonl", going((0, 200), (150, 300)))
    slices = Slices(path, SMALL)
    assert read(slices, 0, 0, lambda: True)
    concerned = [item for item in slices.found if item.concerns(20, 30)]
    assert 0 < len(concerned) < len(slices.found) / 5
    assert sum(item.size for item in slices.found) == path.stat().st_size


def test_what_was_taken_back_is_not_in_it(tmp_path: Path) -> None:
    found = stretch(written(tmp_path / "events.jsonl", going((0, 50), (20, 30))), 10, 60)
    assert [step for step, _ in recent(found.series)] == list(range(10, 31))
    assert all(loss >= 1 for step, loss in recent(found.series) if step > 20)


def test_a_torn_line_hides_only_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", going((0, 10)))
    with path.open("ab") as file:
        file.write(b'{"type":"StepDone","st')
    written(path, [step_done(step, 0.5) for step in range(11, 20)])
    assert [step for step, _ in recent(stretch(path, 5, 15).series)] == list(range(5, 16))


def test_it_goes_on_where_the_journal_has_grown(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", going((0, 10)))
    slices = Slices(path, SMALL)
    assert read(slices, 0, 99, lambda: True)
    written(path, [step_done(11, 0.5)])
    found = read(slices, 0, 99, lambda: True)
    assert found and recent(found.series)[-1] == (11, 0.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(0, 30), st.integers(0, 90))
def test_of_an_earlier_moment_it_is_what_was_known_then(before: int, back: int, until: int) -> None:
    told = going((0, before), (max(before - back, 0), 90))
    until = min(until, len(told))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        place = written(path, told[:until]).stat().st_size
        written(path, told[until:])
        found = read(Slices(path, SMALL), 0, 90, lambda: True, place)
    assert found and recent(found.series) == recent(fold(State(), told[:until]).series)


def test_it_can_be_given_up(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", going((0, 100)))
    assert read(Slices(path, SMALL), 0, 50, lambda: False) is None


def test_no_journal_has_no_points(tmp_path: Path) -> None:
    assert stretch(tmp_path / "none.jsonl", 0, 5).series == {}


# Put together with what is known of the whole


def test_fine_points_take_the_place_of_coarse_ones() -> None:
    steps = list(range(1, 10 * RECENT_POINTS))
    series = extended(Series(), steps, [float(step) for step in steps])
    inner = extended(Series(), steps[3000:3100], [float(step) for step in steps[3000:3100]])
    found = points(series, "train.loss", Stretch(3001, 3100, {"train.loss": inner})).steps
    assert [step for step in found if 3001 <= step <= 3100] == steps[3000:3100]
    assert found[-RECENT_POINTS:] == steps[-RECENT_POINTS:]
    assert found == sorted(set(found))
    assert series.width > 1 and len(found) < 2 * RECENT_POINTS + 200


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5000), st.integers(0, 5000), st.integers(0, 400))
def test_no_value_is_hidden_where_they_meet(count: int, first: int, length: int) -> None:
    steps = list(range(1, count + 1))
    values = [float(step * 7919 % 1000) for step in steps]
    series = extended(Series(), steps, values)
    chosen = [place for place in range(count) if first <= steps[place] <= first + length]
    inner = extended(Series(), [steps[place] for place in chosen], [values[place] for place in chosen])
    found = points(series, "x", Stretch(first, first + length, {"x": inner}))
    assert (min(found.lows), max(found.highs)) == (min(values), max(values))
    assert found.steps == sorted(found.steps)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000))
def test_what_was_read_later_does_not_lead_beyond_the_whole(count: int, more: int) -> None:
    steps = list(range(1, count + more))
    series = extended(Series(), steps[:count], [float(step) for step in steps[:count]])
    ahead = extended(Series(), steps, [float(step) for step in steps])
    found = points(series, "x", Stretch(0, count + more, {"x": ahead}))
    assert found.steps[-1] == count and max(found.highs) == count and min(found.lows) == 1
    assert found.steps == sorted(set(found.steps))
