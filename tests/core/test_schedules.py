"""The learning rate against torch's own schedulers, and what amendments do to it."""

from __future__ import annotations

import math

import pytest
import torch

from core.recipe import Recipe, from_table
from core.training.progress import Amendment
from core.training.schedules import learning_rate

STEPS = 7


def recipe(**schedule: object) -> Recipe:
    return from_table({"epochs": 10, "optimizer": {"lr": 0.1}, "schedule": schedule})


def torch_rates(epochs: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_the_cosine_is_torchs_own_stepped_per_epoch() -> None:
    ours = [learning_rate(recipe(name="cosine"), [], epoch * STEPS + 3, STEPS) for epoch in range(10)]
    assert ours == pytest.approx(torch_rates(10), rel=1e-12)


def test_per_step_moves_within_an_epoch_and_per_epoch_does_not() -> None:
    by_step, by_epoch = recipe(name="cosine", per="step"), recipe(name="cosine", per="epoch")
    assert learning_rate(by_step, [], 1, STEPS) < learning_rate(by_step, [], 0, STEPS)
    assert learning_rate(by_epoch, [], STEPS - 1, STEPS) == learning_rate(by_epoch, [], 0, STEPS)


def test_warmup_rises_linearly_to_the_full_rate() -> None:
    warm = recipe(name="constant", warmup_epochs=2)
    rates = [learning_rate(warm, [], step, STEPS) for step in range(2 * STEPS + 2)]
    assert rates[0] == pytest.approx(0.1 / 14)
    assert rates[13:] == pytest.approx([0.1, 0.1, 0.1])


def test_a_rate_set_live_holds_from_its_step_and_anneals_over_the_rest() -> None:
    amendments = [Amendment(5 * STEPS, "learning_rate", 0.02)]
    plan = recipe(name="cosine")
    assert learning_rate(plan, amendments, 5 * STEPS - 1, STEPS) == learning_rate(plan, [], 5 * STEPS - 1, STEPS)
    assert learning_rate(plan, amendments, 5 * STEPS, STEPS) == 0.02
    assert learning_rate(plan, amendments, 9 * STEPS, STEPS) == pytest.approx(0.02 * 0.5 * (1 + math.cos(math.pi * 4 / 5)))


def test_more_epochs_at_the_end_go_on_from_the_last_rate_that_was_used() -> None:
    plan = recipe(name="cosine")
    amendments = [Amendment(10 * STEPS, "epochs", 14)]
    last_used = learning_rate(plan, [], 10 * STEPS - 1, STEPS)
    assert learning_rate(plan, amendments, 10 * STEPS, STEPS) == last_used
    assert 0 < learning_rate(plan, amendments, 13 * STEPS, STEPS) < last_used


def test_other_amendments_leave_the_rate_alone() -> None:
    plan = recipe(name="cosine")
    amendments = [Amendment(3, "early_stopping.patience", 2)]
    assert learning_rate(plan, amendments, 30, STEPS) == learning_rate(plan, [], 30, STEPS)


def test_linear_falls_evenly_to_zero_by_step_or_by_epoch() -> None:
    by_step, by_epoch = recipe(name="linear", per="step"), recipe(name="linear", per="epoch")
    assert [learning_rate(by_step, [], step, STEPS) for step in (0, 7, 35, 69, 70)] == pytest.approx(
        [0.1, 0.09, 0.05, 0.1 / 70, 0.0]
    )
    assert [learning_rate(by_epoch, [], step, STEPS) for step in (0, 6, 7, 69)] == pytest.approx([0.1, 0.1, 0.09, 0.01])


def test_linear_after_a_warmup_is_the_product_of_both() -> None:
    warm = recipe(name="linear", per="step", warmup_epochs=2)
    assert learning_rate(warm, [], 6, STEPS) == pytest.approx(0.1 * 7 / 14 * 64 / 70)
    assert learning_rate(warm, [], 35, STEPS) == pytest.approx(0.05)
