"""The average of the weights: what it is, that it is what gets measured and kept, and what a checkpoint holds of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from core import checkpoint, data
from core.events import ValidationDone, to_number
from core.recipe import Recipe
from core.sections import Averaging
from core.training import setup as setups
from core.training import snapshot
from core.training.averaging import decay_at
from core.training.evaluation import Evaluation
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.snapshot import LIVE, Snapshot, World
from core.training.steps import Steps
from tests.core.training import new_run, tiny, train


def prepared(recipe: Recipe) -> Setup:
    return setups.prepare(recipe, 1, data.silent)


def averaged(every: int = 1) -> Recipe:
    return tiny(averaging={"decay": 0.9, "every": every})


def test_the_decay_grows_with_the_number_of_updates() -> None:
    settings = Averaging(decay=0.5, every=4)
    assert [decay_at(settings, step) for step in (4, 8, 12)] == pytest.approx([1 / 10, 2 / 11, 3 / 12])
    assert decay_at(settings, 4 * 100) == 0.5


@pytest.mark.parametrize("every", [1, 2])
def test_the_average_is_that_of_every_few_steps(every: int) -> None:
    setup = prepared(averaged(every))
    assert setup.average
    steps, expected, updates = Steps(setup, Progress()), floats(setup), 0
    for step in range(1, 6):
        steps.take(1, 0.05)
        if step % every == 0:
            decay = min(0.9, (1 + updates) / (10 + updates))
            expected = [decay * old + (1 - decay) * new for old, new in zip(expected, floats(setup), strict=True)]
            updates += 1
    for found, value in zip(setup.average.network.state_dict().values(), expected, strict=True):
        if found.is_floating_point():
            torch.testing.assert_close(found.double(), value, rtol=1e-5, atol=1e-6)
        else:
            assert found.item() == every * updates


def floats(setup: Setup) -> list[torch.Tensor]:
    """Of the live network, norms' statistics included."""
    return [tensor.double() for tensor in setup.network.state_dict().values()]


def test_a_checkpoint_has_the_average_as_its_weights_and_the_live_ones_beside_it(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", averaged())
    said = train(run)
    newest = checkpoint.listing(run.checkpoints)[-1]
    _, files = checkpoint.read(newest)
    average, live = (safetensors.torch.load(files[name]) for name in (checkpoint.WEIGHTS, LIVE))
    assert average.keys() == live.keys()
    assert not torch.equal(average["conv1.weight"], live["conv1.weight"])
    last = [event for event in said if isinstance(event, ValidationDone) and event.split == "validation"][-1]
    assert to_number(last.metrics["val.loss"]) == pytest.approx(validation_loss(average), rel=1e-6)
    assert to_number(last.metrics["val.loss"]) != pytest.approx(validation_loss(live), rel=1e-6)


def validation_loss(weights: dict[str, torch.Tensor]) -> float:
    setup = prepared(tiny())
    setup.network.load_state_dict(weights)
    passing = Evaluation(setup.network, setup.validation, len(setup.classes), setup.normalisation, 20, setup.precision)
    list(passing)
    return passing.result().loss


def test_without_an_average_there_is_no_second_file(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    train(run)
    assert LIVE not in checkpoint.read(checkpoint.listing(run.checkpoints)[-1])[1]


def test_weights_and_average_both_come_back() -> None:
    setup, other = prepared(averaged()), prepared(averaged())
    Steps(setup, Progress()).take(1, 0.05)
    assert setup.average and other.average
    saved = Snapshot(setup.network, setup.optimizer, Progress(), setup.average).files(World(), setup.metadata())
    snapshot.restore(saved, other.network, other.optimizer, other.average)
    for ours, theirs in ((setup.network, other.network), (setup.average.network, other.average.network)):
        assert all(
            torch.equal(one, two) for one, two in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
        )
    other.network.train()
    Steps(other, Progress(step=1)).take(1, 0.05)
    assert not torch.equal(
        other.average.network.state_dict()["conv1.weight"], setup.average.network.state_dict()["conv1.weight"]
    )


@pytest.mark.parametrize("was_on", [True, False])
def test_an_average_switched_on_or_off_goes_on_from_the_weights_that_trained(was_on: bool) -> None:
    first, second = prepared(averaged()), prepared(tiny())
    before, after = (first, second) if was_on else (second, first)
    Steps(before, Progress()).take(1, 0.05)
    saved = Snapshot(before.network, before.optimizer, Progress(), before.average).files(World(), before.metadata())
    snapshot.restore(saved, after.network, after.optimizer, after.average)
    weights = before.network.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in after.network.state_dict().items())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in after.measured.state_dict().items())


def test_a_live_weight_that_is_nan_is_noticed() -> None:
    setup = prepared(averaged())
    with torch.no_grad():
        next(setup.network.parameters()).view(-1)[0] = float("nan")
    assert not Snapshot(setup.network, setup.optimizer, Progress(), setup.average).finite()
