"""The way from a journal to the State on the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import events as e
from core.run.folder import RunFolder
from core.run.journal import JournalWriter, read_all
from core.view import summary
from core.view.fold import fold
from core.view.summary import opening
from tests.tui import runs as made
from tui_trainer.feed import WAITING, Feed


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
        until(lambda: feed.drain() == expected)


def test_it_follows_what_is_appended(run: RunFolder, feed: Feed) -> None:
    with run.hold(), JournalWriter(run.journal) as journal:
        until(lambda: feed.drain().status == "running")
        journal.append(e.RunPaused(step=760, epoch=8))
        until(lambda: feed.drain().status == "paused")


def test_a_run_without_a_trainer_is_lost_and_found_again(run: RunFolder, feed: Feed) -> None:
    until(lambda: feed.drain().status == "lost")
    with run.hold():
        until(lambda: feed.drain().status == "running")


def test_an_ending_is_never_shown_as_lost_on_the_way(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    feed = Feed(run, lambda: made.NOW)
    feed.start()
    seen = set()
    until(lambda: seen.add(feed.drain().status) or "early-stopped" in seen)  # type: ignore[func-returns-value]
    feed.stop()
    assert "lost" not in seen


def test_a_drain_keeps_to_its_budget_and_the_reader_rests(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long journal comes in slices: a drain folds one at the least, and no more are read ahead than may wait."""
    run = made.make(runs, "demo", made.empty())
    with JournalWriter(run.journal) as journal:
        for step in range(20_000):
            journal.append(e.StepDone(step=step + 1, epoch=1, metrics={"train.loss": 1.0}))
    feed = Feed(run, lambda: made.NOW)
    feed.start()
    until(lambda: feed._batches.qsize() == WAITING)
    slice_end = feed.drain(budget=0.0).step
    assert 0 < slice_end < 20_000
    until(lambda: feed.drain(budget=0.0).step == 20_000)
    feed.stop()


def test_of_a_long_journal_the_end_is_shown_first(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.feed.READ_WHOLE", 1000)
    for name, size in (("READ_WHOLE", 1000), ("HEAD", 500), ("TAIL", 500)):
        monkeypatch.setattr(summary, name, size)
    feed = Feed(run, lambda: made.NOW)
    feed._preview, feed.share = summary.summarise(run), 0.0
    assert feed.state.step == 760
    with run.hold():
        feed.start()
        until(lambda: feed.drain().seq >= 0 and feed.share == 1)
        assert feed.drain() == fold(opening(run), read_all(run.journal))
    feed.stop()


def test_its_thread_ends_soon(feed: Feed) -> None:
    feed.stop()
    feed._thread.join(2)
    assert not feed._thread.is_alive()
