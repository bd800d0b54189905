"""What each of two real processes is told to come to by itself, and which of them the other one waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.events import RanksSampled, RunStarted
from core.run import journal
from core.view.ranks import ranks, straggler
from core.view.summary import summarise
from tests.distributed.rank import SLOW
from tests.distributed.together import Slow, begun, logs, session


@pytest.mark.parametrize(
    ("slow", "batch_norm"),
    [
        (Slow(0, "batch"), "per_process"),  # the other one waits for its running statistics
        (Slow(1, "loss"), "per_process"),  # in the all-reduce of the gradients
        (Slow(1, "update"), "per_process"),  # when a window is over
        (Slow(1, "meeting"), "per_process"),  # between two steps
        (Slow(1, "statistics"), "synchronised"),  # in a batch norm, forward
        (Slow(1, "loss"), "synchronised"),  # and backward
    ],
    ids=lambda value: value.part if isinstance(value, Slow) else value,
)
def test_a_rank_that_waits_does_not_look_as_slow_as_the_one_it_waits_for(tmp_path: Path, slow: Slow, batch_norm: str) -> None:
    run = begun(tmp_path / "run", epochs=1, batch_norm=batch_norm)
    assert session(run, fault=slow) == [0, 0], logs(run)
    samples = journal.find(run.journal, RanksSampled)
    assert [sample.step for sample in samples] == list(range(1, len(samples) + 1))
    state = summarise(run)
    found = ranks(state)
    assert [item.rank for item in found] == [0, 1] and all(item.memory_bytes > 50 << 20 for item in found)
    assert not state.hosts and all(item.gpu_memory_bytes is None for item in found)
    assert found[slow.rank].images_per_second < 8 / SLOW
    behind = straggler(found)
    assert behind and behind.rank == slow.rank and behind.behind > 0.3, found


def test_machines_are_named_where_there_are_several(tmp_path: Path) -> None:
    hosts = ("node-0.lab", "node-" + "é" * 200)
    run = begun(tmp_path / "run", epochs=1)
    assert session(run, hosts=hosts) == [0, 0], logs(run)
    (started,) = journal.find(run.journal, RunStarted)
    first, second = started.hosts
    assert first == hosts[0] and second.startswith(hosts[1][:120]) and len(second) <= 256
    assert [item.host for item in ranks(summarise(run))] == ["node-0", second]
