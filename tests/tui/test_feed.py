"""The way from a journal to the State on the screen."""

from __future__ import annotations

import pickle
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import events as e
from core.run.folder import RunFolder
from core.run.journal import JournalReader, JournalWriter, read_all
from core.view import history, summary
from core.view.cache import History
from core.view.chunks import CHUNK
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening
from tests.tui import long_runs
from tests.tui import runs as made
from tui_trainer.feed import Feed

STEPS = 100_000


@pytest.fixture
def run(runs: Path) -> RunFolder:
    return made.make(runs, "demo", made.running())


@pytest.fixture
def feed(run: RunFolder) -> Iterator[Feed]:
    feed = Feed(run, lambda: made.NOW)
    feed.start()
    yield feed
    feed.stop()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_it_ends_up_where_one_fold_of_the_journal_does(run: RunFolder, feed: Feed) -> None:
    with run.hold():
        expected = fold(opening(run), read_all(run.journal))
        until(lambda: feed.state == expected)


def test_it_follows_what_is_appended(run: RunFolder, feed: Feed) -> None:
    with run.hold(), JournalWriter(run.journal) as journal:
        until(lambda: feed.state.status == "running")
        journal.append(e.RunPaused(step=760, epoch=8))
        until(lambda: feed.state.status == "paused")


def test_a_run_without_a_trainer_is_lost_and_found_again(run: RunFolder, feed: Feed) -> None:
    until(lambda: feed.state.status == "lost")
    with run.hold():
        until(lambda: feed.state.status == "running")


def test_an_ending_is_never_shown_as_lost_on_the_way(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    feed = Feed(run, lambda: made.NOW)
    feed.start()
    seen = set()
    until(lambda: seen.add(feed.state.status) or "early-stopped" in seen)  # type: ignore[func-returns-value]
    feed.stop()
    assert "lost" not in seen


def test_what_goes_wrong_in_reading_is_raised_where_it_is_looked_at(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.feed.fold", lambda state, events: 1 // 0)
    feed = Feed(run, lambda: made.NOW)
    feed.start()
    feed._thread.join(10)
    with pytest.raises(ZeroDivisionError):
        feed.state  # noqa: B018


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return long_runs.make(tmp_path_factory.mktemp("runs") / "long", STEPS)


def test_of_a_long_journal_the_end_is_shown_first(long_run: RunFolder) -> None:
    """Nothing half-way is ever seen: at first the beginning and the end, then all of it."""
    assert long_run.journal.stat().st_size > 2 * summary.READ_WHOLE
    with long_run.hold():
        feed, shown = Feed(long_run, lambda: made.NOW), list[State]()
        feed.start()
        until(lambda: shown.append(feed.state) or (feed.share == 1 and feed.state.seq >= 0))  # type: ignore[func-returns-value]
        feed.stop()
    assert {state.step for state in shown} <= {0, STEPS}
    assert any(state == summary.summarise(long_run) for state in shown)
    assert feed.state == fold(opening(long_run), read_all(long_run.journal))


def test_a_history_that_cannot_be_read_elsewhere_is_read_here(long_run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert history.read(long_run, lambda offset: True) == History(0, opening(long_run))
    monkeypatch.setattr(sys, "executable", "/nowhere")
    feed = Feed(long_run, lambda: made.NOW)
    with long_run.hold():
        feed.start()
        until(lambda: feed.share == 1 and feed.state.step == STEPS)
        feed.stop()
        assert feed.state == fold(opening(long_run), read_all(long_run.journal))


@pytest.mark.parametrize("name", ["empty", "running", "held_up", "resumed", "early_stopped", "hostile", "diverged"])
def test_the_history_that_another_process_tells_is_the_fold_of_the_journal(runs: Path, name: str) -> None:
    run = made.make(runs, "demo", getattr(made, name)())
    with run.journal.open("ab") as file:
        file.write(b'{"type":"RunStop')
    first = list[State]()
    told, expected = history.read(run, lambda offset: True, first.append), fold(opening(run), read_all(run.journal))
    assert repr(told.state) == repr(expected)  # a NaN is not equal to another one
    assert repr(first) == repr([summary.summarise(run)])
    assert run.journal.read_bytes()[told.offset :] == b'{"type":"RunStop'


@pytest.mark.parametrize("limit", [5_000, 1 << 18])
def test_a_long_journal_in_any_slices_is_one_fold_of_it(long_run: RunFolder, limit: int) -> None:
    reader, state = JournalReader(long_run.journal), opening(long_run)
    while not reader.at_end:
        state = fold(state, reader.read(limit))
    assert state == fold(opening(long_run), read_all(long_run.journal))
    assert sum(item.count for item in state.series["train.loss"].bins) == STEPS


def test_the_memory_that_a_long_journal_takes_is_bounded(long_run: RunFolder) -> None:
    """That of some chunks and of the State, whose parts are all limited; the events read here would take four times as much."""
    reader, state = JournalReader(long_run.journal), opening(long_run)
    tracemalloc.start()
    while reader.offset < 16 * CHUNK:
        state = fold(state, reader.read(CHUNK))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * CHUNK
    assert len(pickle.dumps(state)) < CHUNK


def test_its_thread_ends_soon(feed: Feed) -> None:
    feed.stop()
    feed._thread.join(2)
    assert not feed._thread.is_alive()
