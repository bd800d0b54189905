"""TERM, INT, HUP and USR1 at whatever a worker is at: it saves and leaves within a step, a second one ends it at once, and the
run ends in the very bits of one that nobody touched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, SIGUSR1

import pytest

from core import checkpoint
from core.events import ResumeRefused, RunStopped, SettingChanged
from core.run import journal
from core.run.signals import SIGNALS
from tests.torture.conftest import Untouched
from tests.torture.harness import Kill, Outcome, Torture, differences
from tests.torture.worker import POINTS

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="which file is synced is read from /proc")

ONCE = {
    "seed-like": (
        Kill("while data are read", signals=(SIGTERM,)),
        *(Kill("before a step", 2, signals=(number,)) for number in SIGNALS),
        Kill("while paused", signals=(SIGTERM,)),
        Kill("half a file", 3, signals=(SIGINT,)),
        Kill("in validation", signals=(SIGHUP,)),
        Kill("in the final test", signals=(SIGUSR1,)),
    ),
    "compiled": (
        Kill("while compiling", signals=(SIGTERM,)),
        Kill("while compiling", 2, signals=(SIGINT,)),  # after steps, whose state is to be saved
        Kill("before training is prepared", signals=(SIGHUP,)),  # of a run that has begun
    ),
}
"""By recipe; each is still to come when those before it have been survived."""
TWICE = (
    Kill("before a step", 2, signals=(SIGTERM, SIGHUP)),
    Kill("half a file", 6, signals=(SIGINT, SIGUSR1)),
)
CHANGED_LATE = {
    Kill("after a step", 3): ("learning_rate", 2),
    Kill("between a change and its answer"): ("early_stopping.patience", 5),
    Kill("in validation", 5): ("epochs", 9),
}
"""Kills of a run that is seldom saved, and the key and step of the change that no checkpoint knew of then."""


@pytest.mark.parametrize("name", ["seed-like", pytest.param("compiled", marks=pytest.mark.torture)])
@pytest.mark.timeout(600)
def test_a_signal_saves_leaves_within_a_step_and_leaves_no_trace(tmp_path: Path, untouched: Untouched, name: str) -> None:
    assert differences(signalled(tmp_path, name), untouched(name).result()) == []


def signalled(folder: Path, name: str) -> Outcome:
    torture = Torture(folder, name)
    for kill in ONCE[name]:
        assert torture.session(kill), f"'{kill.point}' was not passed {kill.nth} times"
        check_left(torture, kill)
    return finished_without_loss(torture)


def finished_without_loss(torture: Torture) -> Outcome:
    outcome = torture.finish()
    assert not any(torture.redone), f"steps taken again by each resume: {torture.redone}"
    return outcome


def check_left(torture: Torture, kill: Kill) -> None:
    """Raises AssertionError unless the last session ended within a step of the signal, with all of it saved, and said so."""
    end = journal.find(torture.run.journal, RunStopped, ResumeRefused)[-1]
    places = checkpoint.listing(torture.run.checkpoints)
    begun = torture.after_signal()
    assert len(begun) <= 1, f"signalled {kill.point}: went on with {begun}"
    if isinstance(end, ResumeRefused):
        assert end.reason == f"signal {kill.signals[0]}" and places
        return
    assert end.signal == kill.signals[0], f"signalled {kill.point}: ended by {end}"
    saved = checkpoint.position(places[-1].name)[0] if places else 0
    assert end.step == saved, f"signalled {kill.point}: left at step {end.step}, saved {saved}"


@pytest.mark.timeout(600)
def test_a_second_signal_leaves_at_once_and_loses_no_checkpoint(tmp_path: Path, untouched: Untouched) -> None:
    torture = Torture(tmp_path, "seed-like")
    for kill in TWICE:
        assert torture.session(kill), f"'{kill.point}' was not passed {kill.nth} times"
        assert len(torture.after_signal()) <= 1, f"signalled twice {kill.point}: went on with {torture.after_signal()}"
    assert journal.find(torture.run.journal, RunStopped) == []
    assert differences(torture.finish(), untouched("seed-like").result()) == []


@pytest.mark.timeout(600)
def test_what_was_changed_after_the_last_checkpoint_takes_effect_again_at_its_own_step(
    tmp_path: Path, untouched: Untouched
) -> None:
    torture = Torture(tmp_path, "seldom saved")
    for kill in CHANGED_LATE:
        assert torture.session(kill), f"'{kill.point}' was not passed {kill.nth} times"
    assert differences(torture.finish(), untouched("seldom saved").result()) == []
    said = [change for change in journal.find(torture.run.journal, SettingChanged) if change.again]
    again = {(setting.key, change.step) for change in said for setting in change.settings}
    assert again >= set(CHANGED_LATE.values())


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_signals_at_every_point_leave_no_trace(tmp_path: Path, pool: ThreadPoolExecutor, untouched: Untouched) -> None:
    """One, and then two in a session of its own, where the point is passed again."""

    def end(point: str, number: int) -> Outcome:
        torture = Torture(tmp_path / point, "seed-like")
        once = Kill(point, signals=(number,))
        assert torture.session(once), f"'{point}' was not passed"
        check_left(torture, once)
        if torture.session(Kill(point, 2, signals=(number, SIGHUP if number == SIGTERM else SIGTERM))):
            return torture.finish()
        torture.check_answers()
        return torture.outcome()

    ends = {point: pool.submit(end, point, number) for point, number in zip(POINTS, cycle(SIGNALS), strict=False)}
    for point, found in ends.items():
        assert (point, differences(found.result(), untouched("seed-like").result())) == (point, [])
