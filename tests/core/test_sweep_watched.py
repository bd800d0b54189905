"""What a sweep makes of its trial's run, by what the run has told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from core import events as e
from core.commands import Remark, Stop
from core.run import inbox
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter
from core.sweep.watched import WatchedRun

LOSSES = (2.0, 1.5, 1.7)


def told(*end: e.Event) -> list[e.Event]:
    found: list[e.Event] = [e.RunStarted(epochs=3, steps_per_epoch=10, monitor="val.loss")]
    for epoch, loss in enumerate(LOSSES, 1):
        found.append(e.EpochDone(epoch=epoch, step=10 * epoch, metrics={"val.loss": loss, "val.accuracy": loss / 4}))
        found.append(e.EarlyStoppingUpdated(metric="val.loss", value=loss, best=1.5, best_epoch=2, epoch=epoch))
    return [*found, *end]


def watched(path: Path, events: Sequence[e.Event], metric: str = "val.loss") -> WatchedRun:
    run = RunFolder(path / "trial")
    run.create(RunFile(name="trial", created=1000.0, recipe={"name": "quickstart"}))
    with JournalWriter(run.journal) as journal:
        for event in events:
            journal.append(event)
    found = WatchedRun(run, metric, None)
    assert found.look()
    return found


@pytest.mark.parametrize(
    ("end", "verdict", "words"),
    [
        ([e.RunFinished(step=30, epoch=3)], "finished", ""),
        ([e.RunFinished(step=30, epoch=3, early=True)], "finished", ""),
        ([e.RunFailed(kind="diverged", reason="the loss is NaN")], "failed", "the loss is NaN"),
        ([e.RunStopped(step=20, epoch=2)], "left", "stopped by a person"),
        ([e.RunStopped(step=20, epoch=2, discarded=True)], "left", "discarded by a person"),
        ([e.RunStopped(step=20, epoch=2, signal=15, reason="signal 15")], "waits", "signal 15"),
        ([], "waits", "its trainer is gone without a word"),
        ([e.RunStopped(signal=15), e.PhaseStarted(phase="start"), e.ResumeRefused(reason="no checkpoint is whole")],
         "failed", "not resumed: no checkpoint is whole"),
        ([e.RunStopped(signal=15), e.PhaseStarted(phase="start"), e.ResumeRefused(reason="signal 2")], "waits", ""),
        ([e.RunStopped(signal=15), e.RunResumed(step=20, epoch=3, epochs=3, steps_per_epoch=10)], "waits", "gone without"),
    ],
)  # fmt: skip
def test_what_came_of_it(end: list[e.Event], verdict: str, words: str, tmp_path: Path) -> None:
    found, why = watched(tmp_path, told(*end)).verdict()
    assert (found, words in why) == (verdict, True), why


def test_the_value_is_that_of_the_weights_that_count(tmp_path: Path) -> None:
    run = watched(tmp_path, told(), metric="val.accuracy")
    assert list(run.measured()) == [(1, 0.5), (2, 0.375), (3, 0.425)] and list(run.measured(after=2)) == [(3, 0.425)]
    assert run.result(of_the_best=True) == (2, 0.375)  # the best by the loss, which the recipe watches
    assert run.result(of_the_best=False) == (3, 0.425)


def test_a_run_that_has_told_nothing_of_the_metric_has_no_value(tmp_path: Path) -> None:
    run = watched(tmp_path, told(), metric="val.nothing")
    assert list(run.measured()) == [] and run.result(of_the_best=True) is None and run.result(of_the_best=False) is None


def test_what_is_measured_once_more_on_request_is_no_epoch(tmp_path: Path) -> None:
    again = e.ValidationDone(epoch=3, step=25, metrics={"val.loss": 9.0})
    assert list(watched(tmp_path, told(again)).measured()) == list(enumerate(LOSSES, 1))


def test_it_is_stopped_by_commands_that_say_why(tmp_path: Path) -> None:
    run = watched(tmp_path, told())
    run.stop("nobody trains it any more")  # which is no mistake: it may have ended meanwhile
    assert inbox.waiting(run.run.inbox) == []
    with run.run.hold():
        run.stop("behind the others " * 300)
        remark, stop = map(inbox.read, inbox.waiting(run.run.inbox))
    assert isinstance(remark, Remark) and remark.text.startswith("behind the others") and len(remark.text) <= 2000
    assert isinstance(stop, Stop)
