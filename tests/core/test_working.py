"""The clock of one process among several: it does not run while others are waited for."""

from __future__ import annotations

import time

import pytest
import torch

from core.training.working import Clock, GpuClock, HostClock, waiting

LONG = 0.2
CLOCKS = [
    HostClock,
    pytest.param(
        lambda: GpuClock(torch.device("cuda:0")),
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
        id="GpuClock",
    ),
]


@pytest.fixture(params=CLOCKS)
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def read(clock: Clock) -> float:
    clock.end()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock.seconds()


def test_it_stands_still_while_others_are_waited_for(clock: Clock) -> None:
    clock.begin()
    for _ in range(2):
        with waiting(clock):
            time.sleep(LONG)
    assert 0 <= read(clock) < LONG / 2


def test_it_runs_all_other_time_also_of_the_stretch_that_follows(clock: Clock) -> None:
    clock.begin()
    clock.resume()
    time.sleep(LONG)
    assert read(clock) >= LONG * 0.9
    time.sleep(LONG)
    assert LONG * 0.9 <= read(clock) < LONG * 2


def test_one_that_waits_at_the_end_has_worked_until_then(clock: Clock) -> None:
    clock.begin()
    clock.pause()
    clock.pause()
    time.sleep(LONG)
    assert read(clock) < LONG / 2
    time.sleep(LONG)
    assert read(clock) >= LONG * 0.9


def test_a_beginning_forgets_what_was_before(clock: Clock) -> None:
    time.sleep(LONG)
    clock.pause()
    clock.begin()
    assert read(clock) < LONG / 2
