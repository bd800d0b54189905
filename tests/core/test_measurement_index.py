"""Measurements of the past, found in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import events as e
from core.events import Event
from core.run.journal import JournalWriter
from core.view import measurement_index
from core.view.measurement_index import MeasurementIndex
from tests.core import strategies as runs
from tests.core.training import new_run, tiny

CLASSES = runs.CLASSES


@pytest.fixture
def found(tmp_path: Path) -> MeasurementIndex:
    return MeasurementIndex(new_run(tmp_path / "run", tiny()))


def say(found: MeasurementIndex, *events: Event) -> None:
    with JournalWriter(found.run.journal) as journal:
        for event in events:
            journal.append(event)


def epochs(found: MeasurementIndex) -> list[int]:
    found.extend()
    return [place.epoch for place in found.places]


def test_every_measurement_is_found_and_read_whole(found: MeasurementIndex) -> None:
    say(found, runs.started(), *(event for epoch in range(1, 4) for event in runs.epoch_events(epoch, 1.0 / epoch)))
    assert epochs(found) == [1, 2, 3]
    measurement = found.read(found.places[1], CLASSES)
    told = runs.validated(2, 0.5)
    assert measurement and (measurement.epoch, measurement.confusion, measurement.metrics) == (2, told.confusion, told.metrics)
    assert [(score.name, score.correct, score.images) for score in measurement.classes] == [(name, 20, 30) for name in CLASSES]


def test_it_goes_on_where_it_was_and_takes_back_what_a_resume_takes_back(found: MeasurementIndex) -> None:
    say(found, runs.started(), *(runs.validated(epoch, 1.0) for epoch in (1, 2, 3)))
    assert epochs(found) == [1, 2, 3]
    say(found, runs.resumed(20, 3), runs.validated(3, 0.5), runs.validated(3, 0.5, "test", checkpoint="step-00000020"))
    assert epochs(found) == [1, 2, 3]
    measurement = found.read(found.places[-1], CLASSES)
    assert measurement and measurement.metrics["val.loss"] == 0.5
    say(found, e.RunRewound(step=10), runs.validated(2, 0.25))
    assert epochs(found) == [1, 2]
    say(found, runs.started())
    assert epochs(found) == []


def test_half_a_line_is_waited_for_and_a_torn_one_skipped(found: MeasurementIndex) -> None:
    line = e.encode(runs.validated(1, 1.0))
    found.run.journal.write_bytes(line[:40])
    assert epochs(found) == []
    found.run.journal.write_bytes(line + b"\n" + line[:50] + b"\n" + e.encode(runs.validated(2, 1.0)) + b"\n")
    assert epochs(found) == [1, 2]


def test_words_that_look_like_a_measurement_are_none(found: MeasurementIndex) -> None:
    say(found, e.MessageLogged(text='"type":"ValidationDone","epoch":7'), runs.validated(1, 1.0))
    assert epochs(found) == [1]
    found.run.journal.write_bytes(b'{"type":"ValidationDone","epoch":"x"}\n{"type":"ValidationDone","epoch":[[[\n')
    assert epochs(MeasurementIndex(found.run)) == []


def test_lines_beyond_a_chunk_are_skipped(found: MeasurementIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement_index, "CHUNK", 2000)
    say(
        found, runs.validated(1, 1.0), e.MessageLogged(text="x" * 9000), *(runs.validated(epoch, 1.0) for epoch in range(2, 40))
    )
    assert epochs(found) == list(range(1, 40))


def test_the_number_of_places_is_bounded_and_the_latest_is_kept(
    found: MeasurementIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement_index, "MOST", 10)
    say(found, *(runs.validated(epoch, 1.0) for epoch in range(1, 100)))
    assert len(epochs(found)) <= 10 and epochs(found)[-1] == 99


def test_a_place_that_holds_something_else_by_now_gives_nothing(found: MeasurementIndex) -> None:
    say(found, runs.validated(1, 1.0))
    found.extend()
    found.run.journal.write_bytes(b"x" * 2000)
    assert found.read(found.places[0], CLASSES) is None
    found.run.journal.unlink()
    assert found.read(found.places[0], CLASSES) is None
    found.run.journal.symlink_to("/dev/zero")
    assert found.read(found.places[0], CLASSES) is None
