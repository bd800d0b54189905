"""SIGKILL anywhere: a run that was killed again and again ends in the very bits of one that nobody touched."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.torture.campaign import Campaign
from tests.torture.conftest import Untouched
from tests.torture.harness import Kill, Outcome, Torture, differences
from tests.torture.recipes import TAKEN_BACK
from tests.torture.worker import POINTS, REWINDING

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="which file is synced is read from /proc")

TWELVE = {
    "seed-like": (
        Kill("before a checkpoint is handed over"),
        Kill("between a change and its answer"),
        Kill("half a file", 9),
        Kill("after the beginning"),
        Kill("in validation"),
        Kill("in the final test"),
    ),
    "all of them": (
        Kill("before the rename"),
        Kill("half a journal line", 12),
        Kill("before an answered command is removed"),
        Kill("while paused"),
        Kill("before the pointer", 2),
        Kill("in a removal"),
    ),
}
"""By recipe; each is still to come when the one before it has been survived."""


@pytest.mark.timeout(600)
def test_twelve_kills_leave_no_trace(tmp_path: Path, pool: ThreadPoolExecutor, untouched: Untouched) -> None:
    ends = {name: pool.submit(killed_run, tmp_path / name, name) for name in TWELVE}
    for name, end in ends.items():
        assert differences(end.result(), untouched(name).result()) == []


THREE = (
    Kill("after it is said"),
    Kill("in the middle of that"),
    Kill("before a discarded run has ended"),
)


@pytest.mark.timeout(600)
def test_a_run_that_is_killed_while_it_is_taken_back_goes_on_from_there(tmp_path: Path, untouched: Untouched) -> None:
    torture = Torture(tmp_path, TAKEN_BACK)
    for kill in THREE:
        assert torture.session(kill), f"'{kill.point}' was not passed {kill.nth} times"
    found, expected = torture.finish(), untouched(TAKEN_BACK).result()
    assert differences(found, expected) == []
    assert {back for back, _ in expected["steps"]} == {0, 1} and expected["epochs"] == 3


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_a_run_that_is_taken_back_may_be_killed_anywhere(
    tmp_path: Path, pool: ThreadPoolExecutor, untouched: Untouched
) -> None:
    """At every point, once as it is passed first and once later, where it is passed again."""
    expected = untouched(TAKEN_BACK).result()
    points = {**POINTS, **REWINDING}

    def end(point: str) -> Outcome:
        torture = Torture(tmp_path / point, TAKEN_BACK)
        assert torture.session(Kill(point)), f"'{point}' was not passed"
        for nth in (2, 4, 8):
            if not torture.session(Kill(point, nth)):
                torture.check_answers()
                return torture.outcome()
        return torture.finish()

    ends = {point: pool.submit(end, point) for point in points}
    for point, found in ends.items():
        assert (point, differences(found.result(), expected)) == (point, [])


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_two_hundred_kills_leave_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``TORTURE_SEED`` chooses others."""
    campaign = Campaign(tmp_path, 200, int(os.environ.get("TORTURE_SEED", "0")))
    campaign.carry_out()
    with capsys.disabled():
        print(f"\n{campaign.summary()}")  # noqa: T201
    assert campaign.failures == []
    assert campaign.done >= campaign.kills
    assert campaign.rows.keys() >= POINTS.keys()


def killed_run(folder: Path, name: str) -> Outcome:
    torture = Torture(folder, name)
    for kill in TWELVE[name]:
        assert torture.session(kill), f"'{kill.point}' was not passed {kill.nth} times"
    return torture.finish()
