"""SIGKILL anywhere: a run that was killed again and again ends in the very bits of one that nobody touched."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.torture.campaign import Campaign
from tests.torture.conftest import Untouched
from tests.torture.harness import Kill, Outcome, Torture, differences
from tests.torture.worker import POINTS

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
