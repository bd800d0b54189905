"""What the real writers of others write: TensorBoard's through torch, and Lightning's two loggers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.watching.checksums import masked
from tests.watching.conftest import Read

pytestmark = pytest.mark.others


def test_scalars_of_torchs_summary_writer(tmp_path: Path, read: Read) -> None:
    import torch
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path / "run")) as writer:
        for step in range(200):
            writer.add_scalar("Loss/train", 1 / (step + 1), step)
            writer.add_scalar("Accuracy/val", step / 200, step, new_style=True)
            writer.add_scalar("lr", 1e-3, step, new_style=True, double_precision=True)
        writer.add_histogram("weights", torch.arange(3.0), 199)
        writer.flush()
        reading = read(tmp_path / "run")
        state = reading.now()
        assert (state.step, len(state.series["train.loss"].recent), state.messages[-1].text) == (
            199,
            200,
            "not shown: 1 histogram",
        )
        assert state.metrics == pytest.approx({"train.loss": 1 / 200, "val.accuracy": 199 / 200, "train.learning_rate": 1e-3})
        writer.add_scalar("Loss/train", 0.125, 200)
        writer.flush()
        assert (reading.now().step, reading.now().metrics["train.loss"]) == (200, 0.125)


def test_a_writer_that_purges_begins_anew_at_that_step(tmp_path: Path, read: Read) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for purge, steps, value in ((None, range(100), 1.0), (50, range(50, 60), 2.0)):
        with SummaryWriter(str(tmp_path / "run"), purge_step=purge, filename_suffix=f".{value}") as writer:
            for step in steps:
                writer.add_scalar("train/loss", value, step)
    state = read(tmp_path / "run").now()
    assert state.series["train.loss"].recent[49:51] == ((49, 1.0), (50, 2.0))
    assert state.step == 59


def test_checksums_are_those_of_tensorboard() -> None:
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    for length in (0, 1, 8, 100):
        data = random.Random(length).randbytes(length)
        assert masked(data) == masked_crc32c(data)


def test_lightnings_loggers(tmp_path: Path, read: Read) -> None:
    import lightning
    import torch
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    class Net(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self, width: int = 4) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 2)

        def training_step(self, batch: list[torch.Tensor], number: int) -> torch.Tensor:
            loss = torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: list[torch.Tensor], number: int) -> None:
            given = self.layer(batch[0])
            self.log("val_loss", torch.nn.functional.cross_entropy(given, batch[1]))
            self.log("val_acc", (given.argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.TensorDataset(torch.randn(32, 4), torch.randint(2, (32,)))
    loader = torch.utils.data.DataLoader(data, 4)
    loggers = [CSVLogger(tmp_path / "csv", flush_logs_every_n_steps=1), TensorBoardLogger(tmp_path / "board")]
    trainer = lightning.Trainer(
        max_epochs=3, logger=loggers, log_every_n_steps=2, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(Net(), loader, loader)
    table, board = (read(tmp_path / name).now() for name in ("csv", "board"))
    for state, origin in ((table, "Lightning CSV"), (board, "TensorBoard")):
        assert (state.origin, state.step, state.epoch) == (origin, 23, 3)
        assert [row.epoch for row in state.rows] == [1, 2, 3]
        assert {"train.loss", "train.loss_epoch", "val.loss", "val.accuracy"} <= set(state.metrics)
        assert not state.marks and state.stopping.best == min(row.metrics["val.loss"] for row in state.rows)
    assert table.metrics["val.loss"] == pytest.approx(board.metrics["val.loss"], abs=1e-6)
