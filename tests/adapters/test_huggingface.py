from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.harness import check, steer, training

pytestmark = [pytest.mark.others, pytest.mark.timeout(500)]

PROGRAM = """
import time
import torch
from transformers import Trainer, TrainingArguments
from tui_trainer.adapters.huggingface import ConsoleCallback

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)
    def forward(self, x, labels=None):
        time.sleep(PAUSE)
        return {"loss": self.layer(x).square().mean(), "logits": self.layer(x)}

data = [{"x": torch.randn(4), "labels": 0} for _ in range(64)]
args = TrainingArguments("out", per_device_train_batch_size=4, learning_rate=0.01, logging_steps=1, report_to="none",
                         eval_strategy="epoch", save_strategy="no", disable_tqdm=True, use_cpu=True, LENGTH)
trainer = Trainer(Model(), args, train_dataset=data, eval_dataset=data[:8], callbacks=[ConsoleCallback("seen")],
                  compute_metrics=lambda given: {"accuracy": 0.75})
trainer.train()
"""


def program(length: str, pause: float) -> str:
    return PROGRAM.replace("LENGTH", length).replace("PAUSE", str(pause))


def test_paused_saved_and_stopped_from_outside(tmp_path: Path) -> None:
    with training(program("num_train_epochs=100_000, lr_scheduler_type='constant_with_warmup'", 0.02), tmp_path) as seen:
        steer(seen)
        state = seen.end()
    check(seen, state)
    assert state.steps_per_epoch == 16 and state.model == "Model"
    for saved in state.checkpoints:
        assert (tmp_path / "out" / f"checkpoint-{saved.step}" / "trainer_state.json").is_file()
    assert seen.answers()["Save"].startswith("saved out/checkpoint-")


def test_a_whole_training(tmp_path: Path) -> None:
    with training(program("num_train_epochs=2", 0.0), tmp_path) as seen:
        state = seen.end()
    assert (state.status, state.step, [row.epoch for row in state.rows]) == ("finished", 32, [1, 2])
    assert state.rows[-1].metrics["val.accuracy"] == 0.75 and state.rows[-1].metrics["val.loss"] > 0
    assert state.metrics["train.gradient_norm"] > 0 and "train.train_runtime" not in state.metrics


def test_a_length_in_steps(tmp_path: Path) -> None:
    with training(program("max_steps=20", 0.0), tmp_path) as seen:
        state = seen.end()
    assert (state.status, state.ending, state.step, state.epochs) == ("finished", "2 epochs done", 20, 0)


def test_an_exception_is_told(tmp_path: Path) -> None:
    with training(program("max_steps=20", 0.0).replace("time.sleep(0.0)", "1 / 0"), tmp_path) as seen:
        _, err = seen.process.communicate()
        state = seen.state
    assert seen.process.returncode == 1 and "ZeroDivisionError" in err
    assert (state.status, state.ending) == ("failed", "ZeroDivisionError: division by zero")
