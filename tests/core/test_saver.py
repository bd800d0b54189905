"""What the writer of checkpoints takes from the training beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core import checkpoint, data
from core.training import setup as setups
from core.training.job import Job
from core.training.progress import Progress
from core.training.saver import Saver
from core.training.snapshot import Snapshot
from tests.core.training import new_run, tiny


def test_a_saver_computes_on_one_thread_and_the_training_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With threads of its own there would be more than cores, and all of the process would wait asleep from then on."""
    threads, finite = list[int](), Snapshot.finite

    def noting(snapshot: Snapshot) -> bool:
        threads.append(torch.get_num_threads())
        return finite(snapshot)

    monkeypatch.setattr(Snapshot, "finite", noting)
    before = torch.get_num_threads()
    try:
        setup, run = setups.prepare(tiny(), 2, data.silent), new_run(tmp_path / "run", tiny())
        saver = Saver(run, tiny(), setup.world, setup.metadata(), lambda: None)
        saver.submit(Job(Snapshot(setup.network, setup.optimizer, Progress()), 1, "time", 0.0))
        saver.finish()
        saver.close()
        assert threads == [1] and torch.get_num_threads() == 2
        assert len(checkpoint.listing(run.checkpoints)) == 1
    finally:
        torch.set_num_threads(before)
