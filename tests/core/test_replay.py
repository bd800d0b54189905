"""A run as it was: whatever moment is asked for, what is told of it is one fold of the journal up to there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from core import events as e
from core.run.folder import RunFolder
from core.run.journal import JournalWriter, read_all
from core.view import replay
from core.view.fold import fold
from core.view.replay import Kind, Moment, Move, Past, receive
from core.view.state import State
from core.view.summary import opening
from tests.tui import long_runs
from tests.tui import runs as made


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return made.make(tmp_path, "demo", made.resumed())


def state_at(run: RunFolder, place: int) -> State:
    """By the shortest way."""
    beginning = run.path / "beginning"
    beginning.write_bytes(run.journal.read_bytes()[:place])
    return fold(opening(run), read_all(beginning))


def way(past: Past, kind: Kind, by: int, start: int) -> list[Moment]:
    """All the moments from a place until it goes no further."""
    found, place = list[Moment](), start
    while not found or found[-1].place != place:
        place = found[-1].place if found else place
        found.append(past.move(Move(kind, by, place)))
    return found


def test_the_ends_of_epochs_one_after_the_other(run: RunFolder) -> None:
    there = way(Past(run), "epoch", 1, 0)
    assert [len(moment.state.rows) for moment in there if moment.state] == [1, 2, 3, 4, 5, 6, 7, 7, 7]
    back = way(Past(run), "epoch", -1, run.journal.stat().st_size)
    assert [len(moment.state.rows) for moment in back if moment.state] == [7, 6, 5, 4, 3, 2, 1, 0, 0]
    for moment in (*there, *back):
        assert moment.state == state_at(run, moment.place)


def test_seconds_are_those_of_the_run(run: RunFolder) -> None:
    """Whose events here are half a second apart."""
    lines = run.journal.read_bytes().splitlines(keepends=True)
    there = way(Past(run), "second", 10, 0)
    ends = [sum(map(len, lines[:count])) for count in (*range(21, len(lines), 20), len(lines), len(lines))]
    assert [moment.place for moment in there] == ends
    for moment in there:
        assert moment.state == state_at(run, moment.place)


def test_a_gap_that_is_longer_is_one_move(run: RunFolder) -> None:
    before = run.journal.stat().st_size
    with JournalWriter(run.journal) as journal:
        journal.append(e.Heartbeat(step=730, time=made.NOW + 86_400))
        journal.append(e.Heartbeat(step=730, time=made.NOW + 86_401))
    with run.journal.open("ab") as file:
        file.write(b'broken\n{"type":"Hear')
    past = Past(run)
    over = past.move(Move("second", 1, before))
    assert over.state and over.state.last_time == made.NOW + 86_400
    on = past.move(Move("second", 1, over.place))
    assert on.state and on.state.last_time == made.NOW + 86_401
    assert on.place == on.end == run.journal.read_bytes().rindex(b"\n") + 1


def test_a_resume_is_a_mark(run: RunFolder) -> None:
    (to_it, on, _) = way(Past(run), "mark", 1, 0)
    assert to_it.state and to_it.state.step == 700 and to_it.state.marks[-1].kind == "resume"
    assert on.place == run.journal.stat().st_size
    before = Past(run).move(Move("epoch", -1, to_it.place))
    assert before.state and before.state.step == 700 and not before.state.marks
    assert Past(run).move(Move("mark", -1, on.place)).state == to_it.state


def test_only_a_checkpoint_with_a_name_is_a_mark(run: RunFolder) -> None:
    with JournalWriter(run.journal) as journal:
        journal.append(e.CheckpointSaved(checkpoint="step-00000730", step=730, epoch=8))
        named = journal.append(e.CheckpointSaved(checkpoint="step-00000731", step=731, epoch=8, name="mine"))
        journal.append(e.Heartbeat(step=731))
    found = Past(run).move(Move("mark", -1, run.journal.stat().st_size)).state
    assert found and found.seq == named.seq


@pytest.mark.parametrize("by", [1, 7, -1, -7])
def test_hundredths_lead_from_one_end_to_the_other(run: RunFolder, by: int) -> None:
    size = run.journal.stat().st_size
    found = way(Past(run), "hundredth", by, 0 if by > 0 else size)
    assert found[-1].place == (size if by > 0 else 0)
    assert 50 // abs(by) <= len(found) <= 102
    for moment in found:
        assert moment.state == state_at(run, moment.place)


def test_of_the_shortest_journal_each_hundredth_is_a_line(tmp_path: Path) -> None:
    run = made.make(tmp_path, "demo", [made.started(), e.EpochStarted(epoch=1)])
    assert [moment.state.seq for moment in way(Past(run), "hundredth", 1, 0) if moment.state] == [0, 1, 1]


def test_to_the_beginning_and_the_end_of_a_run_that_goes_on(run: RunFolder) -> None:
    past = Past(run)
    assert past.move(Move("start", 0, 999)) == Moment(0, run.journal.stat().st_size, opening(run))
    assert past.move(Move("end", 0, 0)).state == state_at(run, run.journal.stat().st_size)
    with JournalWriter(run.journal) as journal:
        journal.append(e.RunPaused(step=730, epoch=8))
    end = past.move(Move("end", 0, 0)).state
    assert end and end.status == "paused"


def test_an_unfinished_line_is_not_there_yet(run: RunFolder) -> None:
    whole = run.journal.stat().st_size
    with run.journal.open("ab") as file:
        file.write(b'{"type":"RunStop')
    found = way(Past(run), "hundredth", 1, 0)[-1]
    assert (found.place, found.state) == (whole, state_at(run, whole))


def test_without_a_journal_there_is_no_past(tmp_path: Path) -> None:
    run = made.make(tmp_path, "demo", made.running())
    run.journal.unlink()
    for kind in ("start", "end", "epoch", "mark", "hundredth"):
        assert Past(run).move(Move(kind, 1, 0)) == Moment(0, 0, opening(run))


def test_of_a_long_journal_few_states_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "KEPT", 4)
    run = long_runs.make(tmp_path / "long", 30_000)
    past = Past(run)
    end = past.move(Move("end", 0, 0))
    assert 2 <= len(past._kept) <= 4
    assert end.state == state_at(run, run.journal.stat().st_size)
    for epoch in (29, 3, 17):
        moment = past.move(Move("hundredth", 0, end.end * epoch // 30))
        assert moment.state == state_at(run, moment.place)


def test_a_process_beside_answers_the_same(run: RunFolder) -> None:
    command = [sys.executable, "-P", "-m", "core.view.replay", str(run.path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin and child.stdout
    for move in (Move("epoch", -2, run.journal.stat().st_size), Move("epoch", 1, 0), Move("start", 0, 0)):
        child.stdin.write(msgspec.json.encode(move) + b"\n")
        child.stdin.flush()
        while (moment := receive(child.stdout)).state is None:
            pass
        assert moment == Past(run).move(move)
    child.stdin.close()
    assert child.wait(10) == 0
    child.stdout.close()
