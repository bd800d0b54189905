"""What an optimizer keeps is known, and a checkpoint's must be that, to the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from core.checkpoint import STATE, Damaged
from core.recipe import from_table
from core.training import optimizers
from core.training.optimizers.state import kept
from core.training.progress import Progress
from core.training.snapshot import OPTIMIZER, LossScale, Snapshot, World, optimizer_tensors, read_state, restore

SETTINGS: dict[str, dict[str, Any]] = {
    "adam": {"name": "adam"},
    "adamw": {"name": "adamw", "lookahead_steps": 2},
    "sgd": {"name": "sgd", "momentum": 0.9},
    "sgd without momentum": {"name": "sgd", "momentum": 0.0},
    "sgd with lookahead": {"name": "sgd", "momentum": 0.0, "lookahead_steps": 2},
    "muon": {"name": "muon", "momentum": 0.6},
    "muon with lookahead": {"name": "muon", "momentum": 0.6, "lookahead_steps": 2},
}
Tensors = dict[str, Tensor]


def trained(name: str, steps: int = 1) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    optimizer = optimizers.build(from_table({"optimizer": SETTINGS[name]}).optimizer, network)
    for _ in range(steps):
        network(torch.rand(2, 3, 3, 3)).sum().backward()
        optimizer.step()
    return network, optimizer


def files(name: str, steps: int = 1) -> dict[str, bytes]:
    return Snapshot(*trained(name, steps), Progress(step=steps)).files(World(), {})


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_known_is_what_it_keeps(name: str) -> None:
    optimizer = trained(name)[1]
    assert {key: tensor.shape for key, tensor in optimizer_tensors(optimizer).items()} == kept(optimizer)


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("name", SETTINGS)
def test_its_own_state_is_taken(name: str, steps: int) -> None:
    network, optimizer = trained(name, 2)
    assert restore(files(name, steps), network, optimizer).progress.step == steps


def without(key: str) -> Callable[[Tensors], Tensors]:
    return lambda state: {name: tensor for name, tensor in state.items() if not name.endswith(f".{key}")}


DAMAGES: dict[str, Callable[[Tensors], Tensors]] = {
    "a key lacks everywhere": without("exp_avg"),
    "the steps lack everywhere": without("step"),
    "a key lacks once": lambda state: {name: tensor for name, tensor in state.items() if name != "2.exp_avg_sq"},
    "one key too many": lambda state: {**state, "0.max_exp_avg_sq": state["0.exp_avg_sq"].clone()},
    "nothing": lambda state: {},
    "a number for a tensor": lambda state: {**state, "0.exp_avg": torch.zeros(())},
    "a tensor for a number": lambda state: {**state, "0.step": torch.zeros_like(state["0.exp_avg"])},
    "whole numbers": lambda state: {**state, "0.exp_avg": state["0.exp_avg"].long()},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_any_other_is_refused_before_anything_changes(damage: str) -> None:
    saved = files("adam")
    saved[OPTIMIZER] = safetensors.torch.save(DAMAGES[damage](safetensors.torch.load(saved[OPTIMIZER])))
    network, optimizer = trained("adam", 2)
    before = Snapshot(network, optimizer, Progress())
    with pytest.raises(Damaged, match=r"^optimizer\.safetensors: "):
        restore(saved, network, optimizer)
    after = Snapshot(network, optimizer, Progress())
    for was, now in ((before.weights, after.weights), (before.optimizer, after.optimizer)):
        assert was.keys() == now.keys() and all(torch.equal(was[name], now[name]) for name in was)


@pytest.mark.parametrize("other", [name for name in SETTINGS if name not in ("adam", "sgd without momentum")])
def test_that_of_another_optimizer_is_refused(other: str) -> None:
    with pytest.raises(Damaged, match="its tensors are not this optimizer's"):
        restore(files(other), *trained("adam"))


def test_with_fp16_it_may_not_have_taken_a_step_yet() -> None:
    """While all gradients are beyond float16 the steps are skipped."""
    saved = Snapshot(*trained("adam", 0), Progress(step=3)).files(World(), {})
    with pytest.raises(Damaged):
        restore(saved, *trained("adam"))
    scaled = msgspec.structs.replace(read_state(saved), loss_scale=LossScale(1024.0, 0))
    saved[STATE] = msgspec.json.encode(scaled)
    assert restore(saved, *trained("adam")).progress.step == 3
