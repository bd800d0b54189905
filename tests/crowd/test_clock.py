"""A wall clock that is set forward and back while a run is trained, told things and looked at."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core import commands
from core.commands import Remark
from core.events import Event, Heartbeat, RemarkAdded, RunFinished
from core.run import inbox, journal
from core.run.folder import RunFile, RunFolder
from core.view import readings, summary
from core.view.fold import fold
from core.view.state import State
from tests.core import strategies as runs
from tests.core.training import fingerprint, new_run
from tests.crowd.harness import PATIENCE, answers, ended, short, start, until_training

NOW = 1_750_000_000.0
DAY = 86_400.0


def seen(state: State, now: float) -> dict[str, float]:
    """Every reading that depends on the clock, by name; none of those that are not known."""
    found = {
        "eta": readings.eta(state, now),
        "epoch_eta": readings.epoch_eta(state),
        "stale": readings.stale(state, now),
        "stuck": readings.stuck(state),
        "elapsed": readings.elapsed(state, now),
        "trained": state.trained_seconds,
        "step_age": state.step_age,
    }
    return {name: value for name, value in found.items() if value is not None}


@given(st.lists(st.floats(-2 * DAY, 2 * DAY), min_size=1, max_size=8), st.floats(-2 * DAY, 2 * DAY))
def test_no_reading_is_negative_whatever_the_clock_was_set_to(jumps: list[float], jump: float) -> None:
    told = [replace(event, time=NOW + event.seq + jumps[event.seq % len(jumps)]) for event in runs.healthy(2)]
    for length in range(0, len(told), 7):
        state = fold(State(), told[:length])
        assert all(value >= 0 for value in seen(state, NOW + length + jump).values())


def test_after_a_jump_the_next_word_tells_how_old_it_is() -> None:
    """Staleness goes by the latest word and not by the greatest time that was ever seen."""
    state = fold(State(), runs.healthy(1))
    for now in (state.last_time + DAY, state.last_time - DAY):
        state = fold(state, [Heartbeat(seq=state.seq + 1, time=now)])
        assert readings.stale(state, now + 1) is None
        assert readings.stale(state, now + 60) == pytest.approx(60)


@pytest.mark.parametrize("created", [NOW - DAY, NOW + DAY])
def test_a_run_that_never_began_is_lost_also_when_it_was_made_by_another_clock(tmp_path: Path, created: float) -> None:
    run = RunFolder(tmp_path / "run")
    run.create(RunFile(name="run", created=created))
    assert summary.with_liveness(summary.summarise(run), alive=False, now=NOW).status == "lost"
    assert summary.with_liveness(summary.summarise(run), alive=False, now=created + 1).status == "preparing"


def test_commands_are_taken_in_the_order_of_sending_also_when_the_clock_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "run")
    run.create(RunFile(name="run"))
    with run.hold():
        for seconds in (0, 3600, -3600, 5, 5, 7200, -7200):
            with monkeypatch.context() as clock:
                clock.setattr(time, "time_ns", lambda at=seconds: int((NOW + at) * 1e9))
                inbox.send(run, commands.Remark(text=str(len(inbox.waiting(run.inbox)))))
    read = [inbox.read(path) for path in inbox.waiting(run.inbox)]
    assert [command.text for command in read if isinstance(command, Remark)] == [str(number) for number in range(7)]


def test_a_run_trains_to_the_same_bits_while_the_clock_jumps(tmp_path: Path, alone: str) -> None:
    run = new_run(tmp_path / "run", short())
    worker = start("odd_worker.py", run.path, tmp_path / "record", "clock", log=run.log)
    with ended(worker):
        until_training(run)
        sent = [inbox.send(run, commands.Remark(text=f"remark {number}")) for number in range(5)]
        assert worker.wait(PATIENCE) == 0, run.log.read_text()
    events = journal.read_all(run.journal)
    assert spread(events) > DAY
    assert [event.seq for event in events] == list(range(len(events)))
    assert [event.command for event in events if isinstance(event, RemarkAdded)] == sent
    assert all(answers(run)[identity] == 1 for identity in sent)
    assert isinstance(events[-1], RunFinished)
    for length in range(0, len(events), 20):
        assert all(value >= 0 for value in seen(fold(State(), events[:length]), time.time()).values())
    assert fingerprint(run) == alone


def spread(events: list[Event]) -> float:
    return max(event.time for event in events) - min(event.time for event in events)
