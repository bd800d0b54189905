"""Tables and JSON lines as runs: what they are understood as, while they grow and when they are written anew."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.watching import tail as tails
from core.watching.json_lines import JsonLines
from core.watching.tables import Table
from tests.watching.conftest import Read


def table(path: Path, *lines: str) -> Path:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def numbers(state_points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    return [(step, round(value, 6)) for step, value in state_points]


def test_lightnings_table_is_written_anew_with_another_column_and_nothing_is_told_twice(tmp_path: Path, read: Read) -> None:
    folder = tmp_path / "version_0"
    folder.mkdir()
    file = table(folder / "metrics.csv", "epoch,step,train_loss_step", "0,49,1.5", "0,99,1.2")
    (folder / "hparams.yaml").write_text("lr: 0.001\n")
    reading = read(folder)
    state = reading.now()
    assert (state.origin, state.step, state.epoch, state.metrics) == ("Lightning CSV", 99, 1, {"train.loss": 1.2})
    file.unlink()
    table(file, "epoch,step,train_loss_step,val_acc,val_loss", "0,49,1.5,,", "0,99,1.2,,", "0,99,,0.5,1.4", "1,149,1.0,,")
    state = reading.now()
    assert not state.marks and not state.messages
    assert numbers(state.series["train.loss"].recent) == [(49, 1.5), (99, 1.2), (149, 1.0)]
    assert [(row.epoch, row.metrics["val.loss"]) for row in state.rows] == [(1, 1.4)]
    assert state.epoch == 2


def test_a_table_with_other_rows_than_before_is_told_from_its_beginning(tmp_path: Path, read: Read) -> None:
    file = table(tmp_path / "log.csv", "step,loss", "0,3", "1,2", "2,1")
    reading = read(file)
    assert reading.now().step == 2
    file.unlink()
    table(file, "step,loss", "0,9", "1,8")
    state = reading.now()
    assert state.series["train.loss"].recent == ((0, 9.0), (1, 8.0))
    assert state.marks[-1].text.endswith("the file has been written anew")


@pytest.mark.parametrize(("name", "last"), [("log.csv", "1,25"), ("log.jsonl", '{"step": 1, "loss": 25}')])
def test_a_last_line_without_a_newline_counts_where_nobody_waits_for_more(
    tmp_path: Path, read: Read, name: str, last: str
) -> None:
    first = {"log.csv": ("step,loss", "0,3"), "log.jsonl": ('{"step": 0, "loss": 3}',)}[name]
    file = table(tmp_path / name, *first)
    with file.open("a") as writing:
        writing.write(last)
    reading = read(file)
    reading.translator.reader.end()
    assert reading.now().series["train.loss"].recent == ((0, 3.0), (1, 25.0))
    assert reading.now().step == 1


def test_half_a_line_that_a_full_buffer_has_left_does_not_count(tmp_path: Path, read: Read) -> None:
    lines = "step,loss\n" + "".join(f"{step},2.5\n" for step in range(2000))
    (tmp_path / "log.csv").write_text(lines[:8192])
    reading = read(tmp_path / "log.csv")
    reading.translator.reader.end()
    whole = lines[:8192].splitlines()[-2]
    assert lines[8191] != "\n" and reading.now().step == int(whole.partition(",")[0])


def test_half_a_line_is_kept_back(tmp_path: Path, read: Read) -> None:
    file = table(tmp_path / "log.csv", "step,loss", "0,3")
    reading = read(file)
    with file.open("a") as writing:
        writing.write("1,2")
        writing.flush()
        assert reading.now().step == 0
        writing.write("5\n")
        writing.flush()
        assert reading.now().series["train.loss"].recent == ((0, 3.0), (1, 25.0))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("step;loss", "1;0,5", "2;0,25"), [(1, 0.5), (2, 0.25)]),
        (("iteration\tLoss", "10\t1", "20\t2"), [(10, 1.0), (20, 2.0)]),
        (("loss,note", "1,ok", "2,", "nan,bad"), [(0, 1.0), (1, 2.0), (2, math.nan)]),
        (("# run of today", "# step, loss", "3, 1.5"), [(3, 1.5)]),
        (("epoch,loss", "0,1", "1,2"), [(0, 1.0), (1, 2.0)]),
        (("epoch,step,loss", "0,0,4", "0,1,3", "1,0,2", "1,1,1"), [(0, 4.0), (1, 3.0), (2, 2.0), (3, 1.0)]),
        (("epoch,batch,loss", "1,1,4", "1,2,3", "2,1,2"), [(0, 4.0), (1, 3.0), (2, 2.0)]),
        (("step,loss", "1,1", "step,loss", "2,2"), [(1, 1.0), (2, 2.0)]),
    ],
)
def test_tables_as_people_write_them(
    tmp_path: Path, read: Read, lines: tuple[str, ...], expected: list[tuple[int, float]]
) -> None:
    state = read(table(tmp_path / "log.csv", *lines)).now()
    assert str(numbers(state.series["train.loss"].recent)) == str(expected)


def test_per_cent_become_shares_also_when_it_shows_late(tmp_path: Path, read: Read) -> None:
    file = table(tmp_path / "log.csv", "epoch,val_acc,train_acc", "1,0.8,0.25")
    reading = read(file)
    assert reading.now().metrics == {"val.accuracy": 0.8, "train.accuracy": 0.25}
    table(file, "2,31.5,0.5")
    state = reading.now()
    assert state.metrics == {"val.accuracy": 0.315, "train.accuracy": 0.5}
    assert numbers(state.series["val.accuracy"].recent) == [(1, 0.008), (2, 0.315)]


def test_epochs_and_the_best_of_them(tmp_path: Path, read: Read) -> None:
    lines = [f"{epoch},{1 / (epoch + 1)},{abs(epoch - 3) + 0.5}" for epoch in range(6)]
    state = read(table(tmp_path / "log.csv", "epoch,loss,val_loss", *lines)).now()
    assert [row.epoch for row in state.rows] == [1, 2, 3, 4, 5, 6]
    assert (state.monitor, state.stopping.best, state.stopping.best_epoch, state.stopping.epochs_since) == (
        "val.loss",
        0.5,
        4,
        2,
    )


def test_times_of_rows(tmp_path: Path, read: Read) -> None:
    state = read(table(tmp_path / "a.csv", "step,timestamp,loss", "1,1790000000,1", "3,1790000010,1")).now()
    assert (state.last_time, state.trained_seconds, list(state.series)) == (1_790_000_010.0, 10.0, ["train.loss"])
    state = read(table(tmp_path / "b.csv", "step,elapsed,loss", "1,5,1", "3,25,1")).now()
    assert (state.trained_seconds, list(state.series)) == (20.0, ["train.loss"])
    state = read(table(tmp_path / "c.csv", "step,date,loss", "1,2026-09-21T14:00:00+00:00,1")).now()
    assert state.last_time == 1_789_999_200.0


def test_json_lines(tmp_path: Path, read: Read) -> None:
    file = tmp_path / "log.jsonl"
    lines = [
        {"_step": 1, "train": {"loss": 2.0, "deep": {"er": 1}}, "ok": True, "name": "x"},
        {"_step": 2, "split": "val", "loss": 1.5, "acc": 0.5},
    ]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"_step": 3, "loss": NaN}\nno json\n[1]\n')
    state = read(file).now()
    assert (state.origin, state.step) == ("JSON lines", 3)
    assert set(state.series) == {"train.loss", "train.deep/er", "val.loss", "val.accuracy", "loss"}
    assert math.isnan(state.metrics["loss"])


def test_what_a_line_leaves_out_is_as_before(tmp_path: Path, read: Read) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{"step": 10, "loss": 1}\n{"val_loss": 2}\n{"step": 20, "loss": 1}\n')
    assert read(file).now().series["val.loss"].recent == ((10, 2.0),)


def test_a_line_that_is_too_long_is_no_line(tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "LONGEST_LINE", 1000)
    monkeypatch.setattr(tails, "CHUNK", 256)
    file = table(tmp_path / "log.csv", "step,loss", "1,1")
    reading = read(file)
    table(file, f"2,{'9' * 5000}", "3,3")
    assert reading.now().series["train.loss"].recent == ((1, 1.0), (3, 3.0))


def test_a_file_that_cannot_be_read_any_more_is_said_once(tmp_path: Path, read: Read) -> None:
    file = table(tmp_path / "log.csv", "step,loss", "1,1")
    reading = read(file)
    reading.now()
    file.unlink()
    assert reading.now().messages == ()
    os.mkfifo(file)
    reading.now()
    assert [message.text for message in reading.now().messages] == ["not a plain file"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=40), max_size=8))
def test_whatever_the_text_nothing_is_raised(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "any.txt"
    file.write_text("\n".join(lines) + "\n", "utf-8", "surrogatepass")
    for reader in (Table(file), JsonLines(file)):
        reader.read()


@pytest.mark.parametrize(
    "line", ['{"a":' * 100_000, "[" * 100_000, '{"x": 1e999999}', '{"x": ' + "9" * 10_000 + "}", '{"\\ud800": 1}']
)
def test_json_that_means_no_good(tmp_path: Path, read: Read, line: str) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(f'{{"step": 1, "loss": 1}}\n{line}\n{{"step": 2, "loss": 2}}\n')
    assert read(file).now().series["train.loss"].recent == ((1, 1.0), (2, 2.0))
