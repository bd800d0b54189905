from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.harness import check, steer, training

pytestmark = [pytest.mark.others, pytest.mark.timeout(500)]

PROGRAM = """
import sys, time
import torch
from lightning.pytorch import LightningModule, Trainer
from tui_trainer.adapters.lightning import ConsoleCallback

class Model(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)
    def training_step(self, batch, index):
        time.sleep(PAUSE)
        loss = self.layer(batch[0]).square().mean()
        self.log("train_acc", 0.5)
        return loss
    def validation_step(self, batch, index):
        self.log("val_loss", self.layer(batch[0]).square().mean())
        self.log("val/acc", 0.75)
    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.01)
        return [optimizer], [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0)]

data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(64, 4)), batch_size=4)
seen = ConsoleCallback("seen")
trainer = Trainer(max_epochs=EPOCHS, callbacks=[seen], logger=False, enable_checkpointing=False, accelerator="cpu",
                  enable_progress_bar=False, enable_model_summary=False)
try:
    trainer.fit(Model(), data, data)
except ZeroDivisionError:
    pass
"""


def program(epochs: int, pause: float) -> str:
    return PROGRAM.replace("EPOCHS", str(epochs)).replace("PAUSE", str(pause))


def test_paused_saved_and_stopped_from_outside(tmp_path: Path) -> None:
    with training(program(100_000, 0.02), tmp_path) as seen:
        steer(seen)
        state = seen.end()
    check(seen, state)
    assert state.model == "Model" and state.steps_per_epoch == 16
    import torch

    for saved in state.checkpoints:
        kept = torch.load(seen.run.checkpoints / saved.checkpoint / "model.ckpt", weights_only=True)
        assert kept["global_step"] == saved.step


def test_a_whole_training(tmp_path: Path) -> None:
    with training(program(2, 0.0), tmp_path) as seen:
        state = seen.end()
    assert (state.status, state.step, [row.epoch for row in state.rows]) == ("finished", 32, [1, 2])
    assert state.metrics["val.accuracy"] == 0.75 and state.rows[-1].metrics["val.loss"] > 0
    assert state.rows[-1].metrics["train.accuracy"] == 0.5 and state.metrics["train.learning_rate"] == 0.01


def test_an_exception_is_told(tmp_path: Path) -> None:
    with training(program(2, 0.0).replace("loss = ", "loss = 1 / (self.global_step != 20) * "), tmp_path) as seen:
        state = seen.end()
    assert (state.status, state.ending, state.step) == ("failed", "ZeroDivisionError: division by zero", 20)
