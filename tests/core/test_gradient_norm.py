"""The norm of the gradients that a window tells: of its first step, as they came, at no price in bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core import data
from core.events import StepDone
from core.training import setup as setups
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.steps import Steps
from tests.core.training import new_run, tiny, train


def prepared(**changes: Any) -> Setup:
    return setups.prepare(tiny(**changes), 1, data.silent)


def by_hand(**changes: Any) -> float:
    """Of the first step's gradients."""
    setup = prepared(**changes)
    steps = Steps(setup, Progress())
    steps._set_gradients(steps._samples(1), 1)
    gradients = [weight.grad.flatten() for weight in setup.network.parameters() if weight.grad is not None]
    return float(torch.cat(gradients).norm())


def told(setup: Setup, steps: int = 1) -> float | None:
    training = Steps(setup, Progress())
    for _ in range(steps):
        training.take(1, 0.01)
    window = training.close_window()
    assert window
    return window.gradient_norm


@pytest.mark.parametrize("steps", [1, 2])
def test_it_is_that_of_the_windows_first_step(steps: int) -> None:
    assert told(prepared(), steps) == pytest.approx(by_hand(), rel=1e-5)


def test_each_window_has_its_own() -> None:
    steps, norms = Steps(prepared(), Progress()), []
    for _ in range(2):
        steps.take(1, 0.01)
        window = steps.close_window()
        assert window
        norms.append(window.gradient_norm)
    assert norms[0] != norms[1]


def test_it_is_told_as_it_was_before_it_is_clipped() -> None:
    clipped = {"optimizer": {"name": "adam", "lr": 0.01, "clip_norm": 1e-3}}
    assert told(prepared(**clipped)) == pytest.approx(by_hand(**clipped), rel=1e-5)


def test_the_scale_of_float16_is_not_in_it() -> None:
    assert told(prepared(precision="fp16")) == pytest.approx(by_hand(), rel=0.05)


def test_a_step_that_float16_skips_has_none() -> None:
    setup = prepared(precision="fp16")
    assert setup.scaler
    setup.scaler.load_state_dict({**setup.scaler.state_dict(), "scale": 2.0**100})
    assert told(setup) is None


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_where_windows_end_changes_no_bit(precision: str) -> None:
    setups_ = [prepared(precision=precision), prepared(precision=precision)]
    for every_step, setup in zip((True, False), setups_, strict=True):
        steps = Steps(setup, Progress())
        for _ in range(3):
            steps.take(1, 0.01)
            if every_step:
                steps.close_window()
    one, other = (setup.network.state_dict() for setup in setups_)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_journal_has_it_with_every_window(tmp_path: Path) -> None:
    said = [event for event in train(new_run(tmp_path / "run", tiny())) if isinstance(event, StepDone)]
    assert said and all(isinstance(event.metrics["train.gradient_norm"], float) for event in said)
