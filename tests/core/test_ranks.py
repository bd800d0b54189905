"""Several processes of one run, from what the journal says of each."""

from __future__ import annotations

import pytest

from core import events as e
from core.events import Event
from core.view.fold import fold
from core.view.ranks import Rank, ranks, ranks_words, straggler, straggler_words
from core.view.state import KEPT_RANKS, KEPT_RANKS_READINGS, State
from tests.core import strategies as runs

MIB = 1 << 20


def told(*events: Event) -> State:
    return fold(State(), runs.numbered([runs.started(), *events]))


def sampled(*speeds: float, gpu: bool = False) -> e.RanksSampled:
    memory = tuple((500 + rank) * MIB for rank in range(len(speeds)))
    return e.RanksSampled(images_per_second=speeds, memory_bytes=memory, gpu_memory_bytes=memory if gpu else ())


def test_one_process_has_no_ranks() -> None:
    state = told(*runs.healthy(1))
    assert ranks(state) == () and not straggler_words(state) and not ranks_words(state)


def test_speeds_are_means_over_the_latest_readings_and_memory_is_the_latest() -> None:
    state = told(*(sampled(9999.0, 9999.0) for _ in range(7)), *(sampled(100.0 + n, 200.0) for n in range(KEPT_RANKS_READINGS)))
    assert len(state.ranks) == KEPT_RANKS_READINGS
    assert ranks(state) == (Rank(0, "", 102.0, 500 * MIB, None), Rank(1, "", 200.0, 501 * MIB, None))


def test_a_session_of_other_processes_begins_anew() -> None:
    state = told(sampled(1.0, 2.0, 3.0))
    resumed = fold(state, runs.numbered([runs.resumed(0, 1)], first=state.seq + 1))
    assert len(ranks(state)) == 3 and ranks(resumed) == ()


@pytest.mark.parametrize(
    ("speeds", "words"),
    [
        ((100.0, 100.0), ""),
        ((100.0, 91.0), ""),
        ((100.0, 89.0), "all wait for rank 1: 11 % slower"),
        ((60.0, 120.0), "all wait for rank 0: 50 % slower"),
        ((100.0, 200.0, 80.0, 100.0), "all wait for rank 2: 20 % slower"),
        ((0.0, 0.0), ""),
        ((5.0,), ""),
        ((), ""),
    ],
)
def test_the_others_wait_for_one_that_is_clearly_slower(speeds: tuple[float, ...], words: str) -> None:
    assert straggler_words(told(sampled(*speeds))) == words


def test_of_a_run_that_has_ended_they_waited() -> None:
    assert straggler_words(told(sampled(1.0, 2.0), e.RunStopped())) == "all waited for rank 0: 50 % slower"


def test_hosts_are_named_where_there_are_several() -> None:
    start = e.RunStarted(hosts=("first.lab", "second.lab"), epochs=1, steps_per_epoch=10)
    state = fold(State(), runs.numbered([start, sampled(10.0, 5.0, gpu=True)]))
    assert [item.host for item in ranks(state)] == ["first", "second"]
    assert straggler_words(state) == "all wait for rank 1: 50 % slower, on second"
    assert "rank 0 10 images/s 500 MiB + 500 MiB gpu, rank 1 5 images/s" in ranks_words(state)


def test_hosts_that_differ_in_their_domains_alone_keep_them() -> None:
    start = e.RunStarted(hosts=("gpu.a", "gpu.b"), epochs=1, steps_per_epoch=10)
    state = fold(State(), runs.numbered([start, sampled(10.0, 5.0)]))
    assert [item.host for item in ranks(state)] == ["gpu.a", "gpu.b"]


def test_many_ranks_are_told_in_one_line_and_kept_within_bounds() -> None:
    state = told(sampled(*(1000.0 + rank for rank in range(64))))
    assert ranks_words(state) == "64 ranks of 1,000 to 1,063 images/s, up to 563 MiB each"
    assert len(ranks(told(sampled(*[1.0] * 5000)))) == KEPT_RANKS


@pytest.mark.parametrize("memory", [(), (5,), (5, 6, 7)])
def test_a_reading_that_is_not_of_all_ranks_is_no_trouble(memory: tuple[int, ...]) -> None:
    state = told(sampled(1.0), e.RanksSampled(images_per_second=(1.0, 2.0), memory_bytes=memory, gpu_memory_bytes=memory))
    assert len(ranks(state)) == 2 and straggler(ranks(state)) is not None
