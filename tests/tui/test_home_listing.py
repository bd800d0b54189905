"""What Home knows of a runs folder: read once, in order, and whatever is in it."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from core.events import MessageLogged
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.view.state import State
from tests.tui import runs as made
from tui_trainer import listing
from tui_trainer.listing import Listing


def touch(run: RunFolder, seconds: float) -> RunFolder:
    """Make ``seconds`` (Unix) the time of the run's last activity."""
    os.utime(run.journal, (seconds, seconds))
    return run


def test_living_runs_come_first_then_the_latest(runs: Path) -> None:
    for place, name in enumerate(("old", "new", "living")):
        touch(made.make(runs, name, made.stopped()), made.NOW + (place if name != "living" else -9000))
    living = made.make(runs, "trained", made.running())
    with living.hold():
        assert [item.run.name for item in Listing(runs).scan(math.inf)] == ["trained", "new", "old", "living"]


def test_liveness_is_the_lock_and_not_the_journal(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    shown = Listing(runs)
    with run.hold():
        assert _states(shown) == {"demo": "running"}
    assert _states(shown) == {"demo": "lost"}


def test_a_journal_is_read_again_only_when_it_changed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made.make(runs, "demo", made.stopped())
    read: list[str] = []

    def counted(run: RunFolder) -> State:
        read.append(run.name)
        return State(status="stopped")

    monkeypatch.setattr(listing, "summarise", counted)
    shown = Listing(runs)
    shown.scan(math.inf)
    shown.scan(math.inf)
    assert read == ["demo"]
    with JournalWriter(run.journal) as journal:
        journal.append(MessageLogged(text="more"))
    shown.scan(math.inf)
    assert read == ["demo", "demo"]


def test_what_is_left_unread_by_one_scan_is_read_by_the_next(runs: Path) -> None:
    for name in ("a", "b", "c"):
        made.make(runs, name, made.one_point())
    shown = Listing(runs)
    assert all(item.state is None for item in shown.scan(budget=-1.0))
    assert all(item.state for item in shown.scan(math.inf))


def test_a_removed_run_is_forgotten_and_an_absent_folder_is_empty(runs: Path) -> None:
    run = made.make(runs, "demo", made.stopped())
    shown = Listing(runs)
    assert len(shown.scan(math.inf)) == 1
    run.run_file.unlink()
    assert shown.scan(math.inf) == []
    assert Listing(runs / "nowhere").scan(math.inf) == []


def test_a_run_that_cannot_be_read_is_listed_as_failed(runs: Path) -> None:
    made.make(runs, "ok", made.stopped())
    broken = made.make(runs, "broken", made.empty())
    broken.journal.unlink()
    broken.journal.mkdir()
    found = {item.run.name: item.state for item in Listing(runs).scan(math.inf)}
    assert found["ok"] and found["ok"].status == "stopped"
    assert found["broken"] and found["broken"].status == "failed"
    assert "cannot be read" in found["broken"].ending


def _states(shown: Listing) -> dict[str, str]:
    return {item.run.name: item.state.status for item in shown.scan(math.inf) if item.state}
