"""Several processes of one training: they pause, save and stop at the same step, and only the first one writes."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from core import events as e
from core.run import journal
from tests.adapters.harness import training

pytestmark = [pytest.mark.others, pytest.mark.timeout(500)]

PROGRAM = """
import json, os, pathlib, sys, time
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
import tui_trainer

def gloo_threads():
    return sum("gloo" in task.read_text() for task in pathlib.Path("/proc/self/task").glob("*/comm"))

GROUP
network = torch.nn.Linear(4, 2)
network = DistributedDataParallel(network) if dist.is_initialized() else network
before = gloo_threads()
optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
rates = []

def save(folder):
    (folder / f"rank-{run.rank}").write_text(str(run.step))

with tui_trainer.Run("seen", epochs=EPOCHS, save=save, save_on_every_rank=True) as run:
    for epoch in run.epochs():
        for batch in run.steps([torch.randn(8, 4)] * 10):
            time.sleep(0.01 * (1 + run.rank))
            rates.append(round(run.learning_rate(0.1), 6))
            loss = network(batch).square().mean()
            loss.backward()
            optimizer.step()
            run.log(loss=loss)
        run.validated(loss=1.0)
told = {"step": run.step, "epoch": run.epoch, "folder": str(run.folder), "rates": sorted(set(rates)), "stopping": run.stopping}
pathlib.Path(f"rank-{run.rank}.json").write_text(json.dumps(told))
pathlib.Path(f"threads-{run.rank}.json").write_text(json.dumps([before, gloo_threads()]))
"""
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def program(epochs: int, group: str = "dist.init_process_group('gloo')") -> str:
    return PROGRAM.replace("EPOCHS", str(epochs)).replace("GROUP", group)


def told(folder: Path) -> list[str]:
    return [(folder / f"rank-{rank}.json").read_text() for rank in (0, 1)]


def test_all_ranks_pause_save_and_stop_at_the_same_step(tmp_path: Path) -> None:
    with training(program(100_000), tmp_path, launcher=TORCHRUN) as seen:
        seen.wait_for(lambda state: state.step > 20)
        seen.tell("pause")
        seen.tell("save", "--name", "good")
        seen.tell("tell", "learning-rate=0.05")
        seen.tell("continue")
        step = seen.state.step
        seen.wait_for(lambda state: state.step > step + 20)
        seen.tell("stop")
        state = seen.end()
    first, second = told(tmp_path)
    assert first == second and f'"step": {state.step}' in first and '"rates": [0.05, 0.1]' in first
    assert state.status == "stopped" and len(state.checkpoints) == 2
    for saved in state.checkpoints:
        written = {path.name: path.read_text() for path in (seen.run.checkpoints / saved.checkpoint).iterdir()}
        assert written == {"rank-0": str(saved.step), "rank-1": str(saved.step)}
    assert len(journal.find(seen.run.journal, e.RunStarted)) == 1


def test_a_signal_to_one_of_them_ends_all(tmp_path: Path) -> None:
    with training(program(100_000), tmp_path, launcher=TORCHRUN) as seen:
        seen.wait_for(lambda state: state.step > 20)
        seen.process.send_signal(signal.SIGTERM)  # torchrun hands it on to all
        seen.process.wait(timeout=120)
        state = seen.state
    assert (state.status, state.ending) == ("stopped", f"signal {signal.SIGTERM:d}")
    assert (seen.run.path / state.weights / "rank-1").read_text() == str(state.step)


def test_they_end_together(tmp_path: Path) -> None:
    with training(program(2), tmp_path, launcher=TORCHRUN) as seen:
        state = seen.end()
    first, second = told(tmp_path)
    assert first == second and (state.status, state.step) == ("finished", 20)


def test_the_group_that_they_agree_over_ends_with_the_run(tmp_path: Path) -> None:
    """What is left of it would abort the process at the interpreter's end, now and then."""
    with training(program(1), tmp_path, launcher=TORCHRUN) as seen:
        seen.end()
    before, after = json.loads((tmp_path / "threads-1.json").read_text())
    assert 0 < after == before


def test_without_a_process_group_the_first_one_is_steered_alone(tmp_path: Path) -> None:
    with training(program(2, group=""), tmp_path, launcher=TORCHRUN) as seen:
        state = seen.end()
    assert state.status == "finished" and any("the first rank alone" in message.text for message in state.messages)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["seen"]
