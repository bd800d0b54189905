"""What scalars of others are called here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.watching.names import Names, usual


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("train/loss", "train.loss"), ("train_loss", "train.loss"), ("Loss/train", "train.loss"), ("loss/val", "val.loss"),
        ("loss", "train.loss"), ("val_loss", "val.loss"), ("accuracy", "train.accuracy"), ("val_accuracy", "val.accuracy"),
        ("val/acc", "val.accuracy"), ("eval/loss", "val.loss"), ("eval_top1", "val.accuracy"), ("test_acc", "test.accuracy"),
        ("train_loss_step", "train.loss"), ("train_loss_epoch", "train.loss_epoch"), ("val_loss_epoch", "val.loss"),
        ("test_loss/dataloader_idx_0", "test.loss"), ("train/epoch_loss", "train.loss"), ("lr", "train.learning_rate"),
        ("lr-Adam", "train.learning_rate"), ("lr/pg0", "train.learning_rate"), ("train/learning_rate", "train.learning_rate"),
        ("optimizer/lr", "train.learning_rate"), ("train/grad_norm", "train.gradient_norm"), ("val/box_loss", "val.box_loss"),
        ("metrics/precision(B)", "metrics.precision(B)"), ("train.loss.total", "train.loss/total"), ("reward", "reward"),
        ("validation", "validation"), ("///", "value"), ("GPU/0/load", "GPU.0.load"),
    ],
)  # fmt: skip
def test_usual_names(tag: str, name: str) -> None:
    assert usual(tag) == name


def test_two_scalars_never_share_a_name() -> None:
    names = Names()
    found = [names(tag) for tag in ("train/loss", "train_loss", "loss", "train.loss", "lr-Adam/pg1", "lr-Adam/pg2")]
    assert found == ["train.loss", "train_loss", "loss", "train.loss 2", "train.learning_rate", "lr-Adam.pg2"]
    assert [names(tag) for tag in ("train/loss", "loss")] == ["train.loss", "loss"]


@given(st.lists(st.text(alphabet="/._ trainvlos\n\x1b", max_size=12), unique=True, max_size=12))
def test_whatever_the_names_they_are_told_apart(tags: list[str]) -> None:
    names = Names()
    found = [names(tag) for tag in tags]
    assert len(set(found)) == len(tags) and all(found)
