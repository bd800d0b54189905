"""The scalars of a journal as rows: what was taken back is not among them, and everything else is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from core import events as e
from core.events import Event
from core.events.base import Split
from core.run import journal
from core.run.journal import JournalReader, JournalWriter, read_all
from core.view import scalars
from core.view.fold import fold
from core.view.state import KEPT_METRICS, State
from tests.core.strategies import journals


def written(folder: Path, told: Sequence[Event]) -> Path:
    path = folder / "events.jsonl"
    path.unlink(missing_ok=True)
    with JournalWriter(path) as writer:
        for event in told:
            writer.append(event)
    return path


def step(number: int, loss: e.Number = 1.0) -> e.StepDone:
    return e.StepDone(step=number, epoch=1, steps=1, images=4, seconds=0.5, metrics={"train.loss": loss})


def steps(path: Path) -> list[int]:
    return [row.step for row in scalars.rows(path, scalars.survey(path))]


def test_rows_of_every_kind(tmp_path: Path) -> None:
    told = [
        step(1), step(2, "nan"),
        e.ValidationDone(step=2, epoch=1, seconds=3.0, images=(4, 5), metrics={"val.loss": 2.0}),
        e.EpochDone(step=2, epoch=1, seconds=9.0, metrics={"train.loss": 1.5}),
        e.ValidationDone(split="test", step=2, epoch=1, checkpoint="step-00000002", metrics={"test.loss": "inf"}),
    ]  # fmt: skip
    path = written(tmp_path, told)
    known = scalars.survey(path)
    rows = list(scalars.rows(path, known))
    assert known == (("train.loss", "val.loss", "test.loss"), ())
    assert [(row.kind, row.step, row.seconds, row.images) for row in rows] == [
        ("step", 1, 0.5, 4), ("step", 2, 0.5, 4), ("validation", 2, 3.0, 9), ("epoch", 2, 9.0, 0), ("test", 2, 0.0, 0)
    ]  # fmt: skip
    assert math.isnan(rows[1].metrics["train.loss"]) and rows[4].metrics == {"test.loss": math.inf}
    assert rows[4].checkpoint == "step-00000002"


def test_what_was_taken_back_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, [step(1), step(2), step(3), e.RunResumed(step=1), step(2), step(3)])
    assert steps(path) == [1, 2, 3]
    path = written(tmp_path, [step(1), step(2), e.RunRewound(step=1), step(2), step(3), e.RunRewound(step=2), step(3)])
    assert steps(path) == [1, 2, 3]
    path = written(tmp_path, [step(1), step(9), e.RunResumed(step=8), step(9), e.RunStarted(), step(1)])
    assert steps(path) == [1]


def measured(number: int, split: Split = "validation", checkpoint: str = "") -> e.ValidationDone:
    return e.ValidationDone(split=split, step=number, epoch=1, checkpoint=checkpoint, metrics={"val.loss": 1.0})


def test_what_is_measured_again_after_a_kill_is_there_once(tmp_path: Path) -> None:
    """Before its checkpoint was there; of other weights it is another measurement."""
    final = [measured(2, "test"), measured(2, "test", "step-00000001")]
    told = [step(2), measured(2), e.RunResumed(step=2), measured(2), *final, e.RunResumed(step=2), final[1]]
    path = written(tmp_path, told)
    rows = list(scalars.rows(path, scalars.survey(path)))
    assert [(row.kind, row.checkpoint) for row in rows] == [
        ("step", ""), ("validation", ""), ("test", ""), ("test", "step-00000001")
    ]  # fmt: skip


def test_what_is_measured_anew_after_it_was_taken_back_is_there(tmp_path: Path) -> None:
    path = written(tmp_path, [step(1), step(2), measured(2), e.RunRewound(step=1), step(2), measured(2)])
    assert steps(path) == [1, 2, 2]


def test_what_a_killed_writer_repeated_is_there_once(tmp_path: Path) -> None:
    path = written(tmp_path, [step(1), step(2)])
    path.write_bytes(path.read_bytes() * 2)
    assert steps(path) == [1, 2]


def test_no_journal_has_no_rows(tmp_path: Path) -> None:
    assert scalars.survey(tmp_path / "nothing") == ((), ()) and steps(tmp_path / "nothing") == []


def test_a_hostile_journal_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [e.StepDone(step=n, metrics={f"train.{n}": 1.0}) for n in range(2 * KEPT_METRICS)]
    assert len(scalars.survey(written(tmp_path, told)).names) == KEPT_METRICS
    cuts = [e.RunRewound(step=n % 7) for n in range(2000)]
    assert len(scalars.survey(written(tmp_path, cuts)).cuts) <= 7
    sizes, read = list[int](), JournalReader.read_bytes

    def noted(reader: JournalReader, limit: int = journal.SLICE) -> bytes:
        sizes.append(limit)
        return read(reader, limit)

    monkeypatch.setattr(JournalReader, "read_bytes", noted)
    steps(written(tmp_path, [step(n) for n in range(9000)]))
    assert len(sizes) > 4 and set(sizes) == {journal.SLICE}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=journals)
def test_rows_are_what_the_state_is_made_of(tmp_path: Path, told: list[Event]) -> None:
    path = written(tmp_path, [event for event in told if isinstance(event, (e.StepDone, e.SessionStart, e.RunRewound))])
    state, rows = fold(State(), read_all(path)), list(scalars.rows(path, scalars.survey(path)))
    for name, series in state.series.items():
        values = [row.metrics[name] for row in rows if name in row.metrics]
        assert list(map(str, values[-len(series.recent) :])) == [str(value) for _, value in series.recent]
