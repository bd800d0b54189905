"""What the tests of a run of one's own share."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import events as e
from core.commands import Command
from core.events import Event
from core.run import inbox, journal
from core.run.folder import RunFolder
from core.run.own import Run, loop
from core.view.state import State
from core.view.summary import summarise


@pytest.fixture
def at_every_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Windows are told and commands obeyed at each step, not after a quarter of a second; runs lie in the test's folder."""
    monkeypatch.setattr(loop, "WINDOW", 0.0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUI_TRAINER_RUNS", raising=False)


def folder_of(run: Run) -> RunFolder:
    assert run.folder
    return RunFolder(run.folder)


def tell(run: Run, *told: Command) -> list[str]:
    return [inbox.send(folder_of(run), command) for command in told]


def said(run: Run) -> list[Event]:
    return journal.read_all(folder_of(run).journal)


def answer(run: Run, identity: str) -> e.CommandAccepted | e.CommandRejected:
    answers = journal.find(folder_of(run).journal, e.CommandAccepted, e.CommandRejected)
    (found,) = [item for item in answers if item.id == identity]
    return found


def state_of(run: Run) -> State:
    return summarise(folder_of(run))


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events if not isinstance(event, (e.Heartbeat, e.DeviceSampled))]
