"""A training loop of one's own as a run: what its journal says, what it is told, how it ends and goes on."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from core import events as e
from core.errors import UserError
from core.run import journal, verify
from core.run.own import Run, loop
from tests.core.own import at_every_step, folder_of, names, said, state_of

__all__ = ["at_every_step"]
pytestmark = pytest.mark.usefixtures("at_every_step")


def test_a_loop_is_told_as_a_run_like_any_other() -> None:
    network = torch.nn.Linear(4, 2)
    with Run("my model", epochs=2, model=network, config={"width": 4}) as run:
        for epoch in run.epochs():
            for step, batch in enumerate(run.steps([torch.ones(3, 4)] * 2)):
                loss = network(batch).sum() * 0 + step
                run.log(loss=loss, accuracy=np.float32(0.5), lr=0.1, grad_norm=2)
            improved = run.validated(loss=1.0 / epoch, accuracy=0.75)
            assert improved
    assert names(said(run)) == ["RunStarted", *["EpochStarted", "StepDone", "StepDone", "ValidationDone", "EpochDone",
        "EarlyStoppingUpdated"] * 2, "RunFinished"]  # fmt: skip
    (started,) = journal.find(folder_of(run).journal, e.RunStarted)
    assert (started.model, started.parameters, started.epochs, started.steps_per_epoch) == ("Linear", 10, 2, 2)
    done = journal.find(folder_of(run).journal, e.EpochDone)[-1]
    assert done.metrics["train.loss"] == 0.5 and done.metrics["val.loss"] == 0.5
    state = state_of(run)
    assert (state.status, state.step, state.epoch) == ("finished", 4, 2)
    assert state.metrics["train.learning_rate"] == 0.1 and state.metrics["train.gradient_norm"] == 2
    assert state.program and (state.stopping.best, state.stopping.best_epoch) == (0.5, 2)
    assert all(finding.good for finding in verify.verify(folder_of(run)))


def test_its_files_are_for_their_owner_alone() -> None:
    before = os.umask(0o022)
    try:
        with Run(save=lambda folder: (folder / "weights").write_text("1")) as run:
            for _ in run.steps(range(1)):
                run.log(loss=1.0)
            run.save()
    finally:
        os.umask(before)
    assert run.folder
    made = [run.folder, *run.folder.iterdir(), *(run.folder / "checkpoints").iterdir()]
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_tensors_at_hand_are_read_when_they_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "WINDOW", 1000.0)
    weight, running = torch.ones((), requires_grad=True), torch.zeros(1)
    with Run(epochs=1) as run:
        for step in run.steps(range(5)):
            running += step
            run.log(loss=weight * step, mean=torch.tensor(step, dtype=torch.int64), running=running)
    window = journal.find(folder_of(run).journal, e.StepDone)[-1]
    assert window.metrics["train.loss"] == window.metrics["train.mean"] == 2.0 and window.metrics["train.running"] == 4.0


def test_tensors_of_a_device_wait_for_the_windows_end_without_their_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a device is made of the processor by hiding that it is one."""
    from core.run.own import meter

    class Far(torch.Tensor):
        is_cpu = False

        def item(self) -> float:
            raise AssertionError("the device was waited for")

    kept = meter.Meter()
    weight, running = torch.ones((), requires_grad=True), torch.zeros(1).as_subclass(Far)
    for step in range(5):
        running.add_(step)
        kept.log({"loss": (weight * step).as_subclass(Far), "running": running, "plain": step})
    assert not any(value.requires_grad for value, _ in kept._kept["loss"])
    with pytest.raises(UserError, match=r"shape \(2,\)"):
        kept.log({"loss": torch.zeros(2).as_subclass(Far)})
    totals = kept.close()
    assert totals["train.loss"].mean == totals["train.plain"].mean == 2.0 and totals["train.loss"].last == 4.0
    assert totals["train.running"] == (10.0, 1, 10.0), "one tensor, logged again and again, has its last value alone"
    assert kept.close() == {}


def test_tensors_that_are_not_alike_are_summed_too() -> None:
    from core.training.scalars import sums

    alike = [torch.tensor(2.0), torch.tensor([3.0]), torch.tensor(True), torch.tensor(1, dtype=torch.int8)]
    assert sums([alike, [torch.tensor(0.5)]]) == [7.0, 0.5]


def test_a_log_without_an_end_takes_no_memory_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.run.own import meter

    monkeypatch.setattr(meter, "MOST_KEPT", 10)
    kept = meter.Meter()
    for step in range(1001):
        kept.log({"loss": float(step)})
        assert len(kept._kept["loss"]) < 10
    assert kept.close()["train.loss"].mean == 500.0


def test_what_is_no_number_is_refused_where_it_is_logged() -> None:
    with Run() as run:
        with pytest.raises(UserError, match=r"log\(loss=\.\.\.\): expected one number, and one of shape \(2,\)"):
            run.log(loss=torch.zeros(2))
        with pytest.raises(UserError, match="a str was given"):
            run.log(loss="much")  # type: ignore[arg-type]


def test_classes_and_a_confusion_matrix() -> None:
    with Run() as run:
        for _ in run.steps(range(1)):
            run.log(loss=1.0)
        run.validated(loss=1.0, classes=["cat", "dog"], confusion=np.array([[3, 1], [0, 4]]))
        with pytest.raises(UserError, match="3 classes, and a confusion matrix of 2 rows"):
            run.validated(classes=["a", "b", "c"], confusion=[[1, 0], [0, 1]])
        with pytest.raises(UserError, match="right, images"):
            run.validated(classes={"cat": 0.5})  # type: ignore[dict-item]
        run.validated(split="test", loss=2.0, classes={"cat": (1, 2), "dog": (3, 4)})
    measured = state_of(run).measurements
    assert [(score.name, score.correct, score.images) for score in measured["validation"].classes] == [
        ("cat", 3, 4), ("dog", 4, 4)]  # fmt: skip
    assert measured["validation"].metrics["val.accuracy"] == 7 / 8 and measured["test"].metrics["test.accuracy"] == 4 / 6


@pytest.mark.parametrize("length", [None, 7])
def test_a_stream_without_epochs(length: int | None) -> None:
    def stream() -> Iterator[int]:
        yield from range(7)

    with Run() as run:
        for _ in run.steps(stream(), length=length):
            run.log(perplexity=3.0)
    state = state_of(run)
    assert (state.status, state.ending, state.step, state.steps_per_epoch) == ("finished", "7 steps done", 7, length or 0)
    assert state.metrics["train.perplexity"] == 3.0 and state.epochs == 0


def test_passes_outside_of_epochs_are_epochs_and_a_break_counts_the_step_that_was_done() -> None:
    with Run() as run:
        for _ in range(3):
            for step in run.steps(range(5)):
                if step == 3:
                    break
                run.log(loss=1.0)
                if step == 2:
                    break
            run.validated(loss=1.0)
    assert [row.epoch for row in state_of(run).rows] == [1, 2, 3] and run.step == 9
