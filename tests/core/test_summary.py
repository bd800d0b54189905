"""A run on disk as a State, whatever became of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import events as e
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter
from core.view import summary
from core.view.fold import fold
from core.view.state import State
from tests.core import strategies as runs


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "demo")
    folder.create(RunFile(name="demo", created=1000.0, recipe={"name": "quickstart"}))
    return folder


def write(run: RunFolder, events: list[e.Event]) -> None:
    with JournalWriter(run.journal) as journal:
        for event in events:
            journal.append(event)


def test_a_short_journal_is_folded_whole(run: RunFolder) -> None:
    write(run, runs.healthy(3))
    assert summary.summarise(run) == fold(State(), runs.healthy(3))


def test_of_a_long_journal_head_and_tail_are_read(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("READ_WHOLE", 20_000), ("HEAD", 4_000), ("TAIL", 4_000)):
        monkeypatch.setattr(summary, name, value)
    events = [runs.started(), *(runs.step_done(step) for step in range(1, 400)), e.RunStopped(reason="asked")]
    write(run, runs.numbered(events))
    state = summary.summarise(run)
    assert (state.status, state.step, state.model, state.seq) == ("stopped", 399, "resnet", 400)
    assert 0 < len(state.series["train.loss"].bins) < 200


def test_a_torn_tail_is_skipped(run: RunFolder) -> None:
    write(run, runs.healthy(1))
    with run.journal.open("ab") as file:
        file.write(b'{"type":"RunStop')
    assert summary.summarise(run) == fold(State(), runs.healthy(1))


def test_without_a_journal_the_run_file_speaks(run: RunFolder) -> None:
    state = summary.summarise(run)
    assert (state.name, state.recipe, state.status) == ("demo", "quickstart", "preparing")
    assert summary.with_liveness(state, False, now=1010.0).status == "preparing"
    assert summary.with_liveness(state, False, now=1016.0).status == "lost"


def test_a_damaged_run_file_still_gives_a_state(run: RunFolder) -> None:
    run.run_file.write_bytes(b"{")
    assert summary.summarise(run).name == "demo"


@pytest.mark.parametrize("event", [e.RunPaused(), e.RunContinued(), e.PhaseStarted(phase="prepare")])
def test_nobody_trains_it_and_it_has_not_ended(event: e.Event) -> None:
    state = fold(State(), [*runs.healthy(1), event])
    assert summary.with_liveness(state, alive=True) is state
    assert summary.with_liveness(state, alive=False).status == "lost"
    ended = fold(state, [e.RunStopped()])
    assert summary.with_liveness(ended, alive=False) is ended
