"""Folders of event files as runs: recorded ones, growing ones, ones that begin anew, damaged ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.watching.event_files import CHUNK
from tests.watching.conftest import Read
from tests.watching.written import EVENTS, NOW, event, event_file, record, scalar, scalars

RECORDED = Path(__file__).parent / "recorded"
LATER = "events.out.tfevents.1790009000.machine.1.0"


def test_a_file_of_torchs_own_writer(tmp_path: Path, read: Read) -> None:
    shutil.copy(RECORDED / EVENTS, tmp_path)
    state = read(tmp_path).now()
    assert (state.status, state.origin, state.step) == ("watched", "TensorBoard", 4)
    assert state.metrics == pytest.approx(
        {"train.loss": 0.2, "val.loss": 0.3, "val.accuracy": 0.8, "train.learning_rate": 1e-3}
    )
    assert state.series["val.loss"].recent[0] == (0, 1.5)
    assert state.trained_seconds == pytest.approx(4)
    assert (state.stopping.metric, state.stopping.best_step) == ("val.loss", 4)
    assert [message.text for message in state.messages] == ["not shown: 1 histogram, 1 image, 1 text"]


def test_what_is_added_is_read_and_half_a_record_waited_for(tmp_path: Path, read: Read) -> None:
    file, last = event_file(tmp_path, scalars(range(10), {"train/loss": 1.0})), record(event(10, scalar("train/loss", 0.5)))
    reading = read(tmp_path)
    assert reading.now().step == 9
    event_file(tmp_path, last[:-3])
    assert reading.now().step == 9
    event_file(tmp_path, last[-3:])
    assert (reading.now().step, reading.now().metrics) == (10, {"train.loss": 0.5})
    assert file.stat().st_size > 0 and not reading.now().messages


def test_a_run_that_was_started_again_goes_on_where_its_next_file_begins(tmp_path: Path, read: Read) -> None:
    event_file(tmp_path, scalars(range(100), {"train/loss": 1.0, "val/loss": 2.0}))
    reading = read(tmp_path)
    assert reading.now().step == 99
    event_file(tmp_path, scalars(range(60, 70), {"train/loss": 0.1, "val/loss": 0.2}), LATER)
    state = reading.now()
    assert (state.step, len(state.series["train.loss"].recent)) == (69, 70)
    assert [point for point in state.series["train.loss"].recent if point[0] in (59, 60)] == [
        (59, 1.0),
        (60, pytest.approx(0.1)),
    ]
    assert [mark.text for mark in state.marks] == ["went back to step 60: the files begin anew there"]


def test_scalars_that_count_steps_of_their_own_go_back_nowhere(tmp_path: Path, read: Read) -> None:
    event_file(tmp_path, scalars(range(50), {"batch/loss": 1.0}) + scalars(range(3), {"slow": 2.0}))
    state = read(tmp_path).now()
    assert (state.step, len(state.series["batch.loss"].recent), len(state.series["slow"].recent)) == (49, 50, 3)
    assert not state.marks


def test_files_are_read_in_the_order_of_their_times(tmp_path: Path, read: Read) -> None:
    event_file(tmp_path, scalars(range(5, 10), {"x": 2.0}), "events.out.tfevents.10000000000.a")
    event_file(tmp_path, scalars(range(5), {"x": 1.0}), "events.out.tfevents.9999999999.b")
    state = read(tmp_path).now()
    assert [value for _, value in state.series["x"].recent] == [1.0] * 5 + [2.0] * 5
    assert not state.marks


def test_keras_folders_of_training_and_validation_are_one_run(tmp_path: Path, read: Read) -> None:
    event_file(tmp_path / "train", scalars(range(3), {"epoch_loss": 1.0, "epoch_accuracy": 0.5}))
    event_file(tmp_path / "validation", scalars(range(3), {"epoch_loss": 1.5}))
    state = read(tmp_path).now()
    assert {name: len(series.recent) for name, series in state.series.items()} == {
        "train.loss": 3, "train.accuracy": 3, "val.loss": 3
    }  # fmt: skip
    assert state.epoch == 3
    assert [row.metrics.get("val.loss") for row in state.rows] == [1.5] * 3


def test_damage_is_said_and_costs_nothing_else(tmp_path: Path, read: Read) -> None:
    data = bytearray(scalars(range(20), {"x": 1.0}))
    data[300] ^= 0xFF
    event_file(tmp_path, bytes(data))
    state = read(tmp_path).now()
    assert len(state.series["x"].recent) == 19
    assert [message.text for message in state.messages] == [f"1 damaged record skipped, the latest in {EVENTS}"]


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path, read: Read) -> None:
    file = event_file(tmp_path, scalars(range(30), {"x": 1.0}))
    reading = read(tmp_path)
    assert reading.now().step == 29
    file.write_bytes(scalars(range(4), {"x": 3.0}))
    state = reading.now()
    assert (state.step, state.series["x"].recent) == (3, tuple((step, 3.0) for step in range(4)))


def test_a_name_that_is_hostile_stays_a_name(tmp_path: Path, read: Read) -> None:
    tags = {"\x1b[31mred": 1.0, "a/../../b": 2.0, "x" * 100_000: 3.0, "": 4.0}
    event_file(tmp_path, scalars(range(2), tags))
    state = read(tmp_path).now()
    assert len(state.metrics) == 4 and all(len(name) <= 210 for name in state.metrics)


def test_more_scalars_than_are_kept_are_left_out_and_that_is_said(tmp_path: Path, read: Read) -> None:
    event_file(tmp_path, scalars(range(2), {f"scalar {number}": 1.0 for number in range(300)}))
    state = read(tmp_path).now()
    assert len(state.series) == 256
    assert [message.text for message in state.messages] == ["only the first 256 scalars are shown"]


def test_times_and_steps_beyond_all_bounds(tmp_path: Path, read: Read) -> None:
    hostile = [
        record(event(step, scalar("x", float("nan")), time=time)) for step, time in ((1 << 62, float("nan")), (-4, 1e300))
    ]
    event_file(tmp_path, b"".join(hostile))
    state = read(tmp_path).now()
    assert state.status == "watched" and set(state.series) == {"x"}


def test_a_long_file_is_read_in_stretches(tmp_path: Path, read: Read) -> None:
    steps = CHUNK // 40
    event_file(tmp_path, scalars(range(steps), {"loss": 1.0}, seconds=0.5))
    reading = read(tmp_path)
    reading.translator.poll()
    assert 0 < reading.translator.reader.behind < reading.translator.reader.size
    state = reading.now()
    assert (state.step, state.last_time) == (steps - 1, NOW + 0.5 * (steps - 1))


def test_steps_that_go_back_again_and_again_come_to_an_end(tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.watching.translator.MOST_REWINDS", 3)
    event_file(tmp_path, b"".join(scalars(range(5), {"x": float(epoch)}) for epoch in range(10)))
    state = read(tmp_path).now()
    assert len(state.marks) == 3
    assert "its steps go back again and again" in state.messages[-1].text
