"""Optimizers against small references written out here: groups and rates, Muon, SAM, Lookahead, clipping."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core import data
from core.recipe import Recipe
from core.sections import Optimizer
from core.training import optimizers
from core.training import setup as setups
from core.training.optimizers import muon
from core.training.optimizers.muon import newton_schulz
from core.training.optimizers.sam import ascended
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.steps import Steps
from tests.core.training import tiny

LR = 0.05


class Net(nn.Module):
    """Two convolutions of one shape, one of another and one that is frozen; norms; two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Conv2d(3, 4, 1)
        self.frozen.requires_grad_(False)
        self.first = nn.Conv2d(4, 6, 3, padding=1, bias=False)
        self.second = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.third = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.hidden = nn.Linear(6, 5)
        self.head = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.third(self.second(self.first(self.frozen(x)))))
        found: Tensor = self.head(self.hidden(x.mean((2, 3))))
        return found


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net()


def gradients(network: nn.Module, seed: int) -> None:
    torch.manual_seed(seed)
    network.zero_grad()
    network(torch.rand(8, 3, 5, 5)).square().sum().backward()


def rates(network: nn.Module, **settings: Any) -> dict[str, tuple[float, float]]:
    """(learning rate, weight decay) of each parameter that is in a group."""
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    groups = optimizers.build(Optimizer(lr=LR, **settings), network).param_groups
    return {names[id(each)]: (group["lr"], group["weight_decay"]) for group in groups for each in group["params"]}


def prepared(recipe: Recipe) -> Setup:
    return setups.prepare(recipe, 1, data.silent)


def close(one: Setup, two: Setup) -> None:
    for ours, theirs in zip(one.network.parameters(), two.network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


# Groups


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_without_rates_of_their_own_all_parameters_that_train_are_one_group(net: Net, name: Any) -> None:
    (group,) = optimizers.build(Optimizer(name=name, lr=LR, weight_decay=0.1), net).param_groups
    assert [id(each) for each in group["params"]] == [id(each) for each in net.parameters() if each.requires_grad]
    assert (group["scale"], group["weight_decay"]) == (1.0, 0.1)


def test_vectors_and_the_head_have_rates_of_their_own(net: Net) -> None:
    found = rates(net, name="sgd", vector_lr=0.5, head_lr=2.0, weight_decay=0.1, decay_vectors=False)
    assert found["first.weight"] == found["hidden.weight"] == (LR, 0.1)
    assert found["norm.weight"] == found["norm.bias"] == found["hidden.bias"] == (0.5, 0.0)
    assert (found["head.weight"], found["head.bias"]) == ((2.0, 0.1), (2.0, 0.0))
    assert not any(name.startswith("frozen") for name in found)


def test_with_muon_all_but_the_convolutions_go_by_the_other_rates(net: Net) -> None:
    found = rates(net, name="muon", momentum=0.6, vector_lr=0.5, head_lr=2.0, weight_decay=0.1)
    assert found["first.weight"] == found["third.weight"] == (LR, 0.0)
    assert found["hidden.weight"] == found["norm.bias"] == (0.5, 0.1)
    assert found["head.weight"] == (2.0, 0.1)


def test_every_group_follows_the_schedule() -> None:
    setup = prepared(tiny(optimizer={"name": "sgd", "lr": LR, "head_lr": 4 * LR}))
    Steps(setup, Progress()).take(1, LR / 2)
    assert {group["lr"] for group in setup.optimizer.param_groups} == {LR / 2, 2 * LR}


# Muon


def muon_by_hand(weight: Tensor, momentum: Tensor, gradient: Tensor, rate: float, beta: float) -> None:
    """One step on one weight, in float64, as its author describes it."""
    momentum.mul_(beta).add_(gradient)
    x = (gradient + beta * momentum).reshape(len(weight), -1)
    x = x / x.norm()
    if x.shape[0] > x.shape[1]:
        x = x.T
    for _ in range(3):
        once = x @ x.T
        x = 3.4445 * x - 4.7750 * once @ x + 2.0315 * once @ once @ x
    if gradient[0].numel() < len(gradient):
        x = x.T
    weight.mul_(len(weight) ** 0.5 / weight.norm()).sub_(rate * x.reshape(weight.shape))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_muon_is_what_its_author_describes(net: Net, layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "has_fast_bf16", lambda device: False)  # compared to float64
    net = net.to(memory_format=layout)
    convolutions = (net.first.weight, net.second.weight, net.third.weight)
    expected = [weight.detach().double() for weight in convolutions]
    momenta = [torch.zeros_like(weight) for weight in expected]
    optimizer = optimizers.build(Optimizer(name="muon", lr=LR, momentum=0.6, nesterov=True), net)
    for step in range(4):
        gradients(net, step)
        for weight, momentum, parameter in zip(expected, momenta, convolutions, strict=True):
            assert parameter.grad is not None
            muon_by_hand(weight, momentum, parameter.grad.double(), LR, 0.6)
        optimizer.step()
        for weight, parameter in zip(expected, convolutions, strict=True):
            torch.testing.assert_close(parameter.double(), weight, rtol=1e-4, atol=1e-5)


def test_beside_muon_everything_else_is_torchs_own_sgd(net: Net) -> None:
    other = copy.deepcopy(net)
    settings = Optimizer(name="muon", lr=LR, momentum=0.6, nesterov=True, weight_decay=0.1, head_lr=0.2, vector_momentum=0.8)
    ours = optimizers.build(settings, net)
    head = list(other.head.parameters())
    rest = [*other.norm.parameters(), *other.hidden.parameters()]
    groups = [{"params": rest, "lr": LR}, {"params": head, "lr": 0.2}]
    theirs = torch.optim.SGD(groups, momentum=0.8, nesterov=True, weight_decay=0.1)
    for step in range(3):
        gradients(net, step)
        for parameter, same in zip(net.parameters(), other.parameters(), strict=True):
            same.grad = None if parameter.grad is None else parameter.grad.clone()
        ours.step()
        theirs.step()
    for name in ("norm", "hidden", "head"):
        for parameter, same in zip(getattr(net, name).parameters(), getattr(other, name).parameters(), strict=True):
            torch.testing.assert_close(parameter, same)


@pytest.mark.parametrize("shape", [(3, 8, 20), (3, 20, 8)])
def test_the_update_has_the_gradients_directions_and_no_sizes(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    basis = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    matrices = basis.U @ torch.diag(torch.linspace(0.5, 2, 8)) @ basis.Vh
    found = newton_schulz(matrices)
    assert found.is_contiguous() and found.shape == shape
    sizes = torch.linalg.svdvals(found)
    assert sizes.min() > 0.5 and sizes.max() < 1.3
    aligned = basis.U.mT @ found @ basis.Vh.mT
    torch.testing.assert_close(aligned, torch.diag_embed(aligned.diagonal(dim1=1, dim2=2)), rtol=0, atol=1e-4)
    half = newton_schulz(matrices, torch.bfloat16)
    assert half.dtype == torch.float32 and half.is_contiguous()
    torch.testing.assert_close(half, found, rtol=0, atol=0.03)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_what_does_not_train_stays(net: Net, name: Any) -> None:
    optimizer = optimizers.build(Optimizer(name=name, lr=LR, weight_decay=0.1, momentum=0.5), net)
    before = net.frozen.weight.clone(), net.head.weight.clone()
    gradients(net, 0)
    optimizer.step()
    assert torch.equal(net.frozen.weight, before[0]) and not torch.equal(net.head.weight, before[1])


# Lookahead


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_lookahead_pulls_slow_weights_and_goes_on_from_them(name: Any) -> None:
    setup = prepared(tiny(optimizer={"name": name, "lr": LR, "lookahead_steps": 3, "lookahead_alpha": 0.4}))
    plain = prepared(tiny(optimizer={"name": name, "lr": LR}))
    ours, theirs = Steps(setup, Progress()), Steps(plain, Progress())
    slow = [weight.detach().clone() for weight in plain.network.parameters()]
    for step in range(1, 6):
        ours.take(1, LR)
        theirs.take(1, LR)
        if step % 3 == 0:
            with torch.no_grad():
                for old, weight in zip(slow, plain.network.parameters(), strict=True):
                    old += 0.4 * (weight - old)
                    weight.copy_(old)
        close(setup, plain)


@pytest.mark.parametrize("name", ["adam", "sgd", "muon"])
def test_after_a_return_to_before_the_first_step_slow_weights_begin_from_what_the_weights_are_then(name: Any) -> None:
    settings = {"name": name, "lr": LR, "lookahead_steps": 2, "lookahead_alpha": 0.4}
    setup, other = prepared(tiny(optimizer=settings)), prepared(tiny(optimizer=settings))
    first = {key: tensor.clone() for key, tensor in setup.network.state_dict().items()}
    begun = setup.optimizer.state_dict()
    take(setup, 3)
    with torch.no_grad():  # as fine-tuning would, or any other state
        for networks in (setup.network, other.network):
            networks.load_state_dict(
                {key: tensor * 1.5 if tensor.is_floating_point() else tensor for key, tensor in first.items()}
            )
    setup.optimizer.load_state_dict(begun)
    setup.optimizer.state.clear()
    for each in (setup, other):
        take(each, 4)
    close(setup, other)


def take(setup: setups.Setup, steps: int) -> None:
    """The first ones of a training."""
    course = Steps(setup, Progress())
    for _ in range(steps):
        course.take(1, LR)


# Clipping and sharpness-aware minimisation


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_gradient_is_clipped_as_a_whole(precision: str) -> None:
    settings = {"name": "sgd", "lr": LR}
    clipped, plain = (prepared(tiny(optimizer={**settings, "clip_norm": norm}, precision=precision)) for norm in (0.01, 0.0))
    before = [weight.detach().clone() for weight in plain.network.parameters()]
    for setup in (clipped, plain):
        Steps(setup, Progress()).take(1, LR)
    moves = [
        torch.cat([(weight.detach() - old).flatten() for weight, old in zip(setup.network.parameters(), before, strict=True)])
        for setup in (clipped, plain)
    ]
    assert moves[0].norm().item() == pytest.approx(0.01 * LR, rel=1e-2)
    assert torch.cosine_similarity(moves[0], moves[1], dim=0) > 0.9999


def test_sam_steps_by_the_gradient_at_the_worst_point_nearby() -> None:
    """Against two passes written out: the same draws in both, statistics of norms from the first alone."""
    setup, plain = (prepared(tiny(optimizer={"name": "sgd", "lr": LR, "sam": radius})) for radius in (0.05, 0.0))
    Steps(setup, Progress()).take(1, LR)
    start = [weight.detach().clone() for weight in plain.network.parameters()]
    Steps(plain, Progress()).take(1, 0.0)  # a step of no length leaves the gradient
    statistics = {name: value.clone() for name, value in plain.network.named_buffers()}
    found = [weight.grad.clone() for weight in plain.network.parameters() if weight.grad is not None]
    whole = torch.cat([gradient.flatten() for gradient in found]).norm()
    with torch.no_grad():
        for weight, gradient in zip(plain.network.parameters(), found, strict=True):
            weight.add_(0.05 * gradient / whole)
    Steps(plain, Progress()).take(1, 0.0)
    with torch.no_grad():
        for weight, old in zip(plain.network.parameters(), start, strict=True):
            assert weight.grad is not None
            weight.copy_(old - LR * weight.grad)
    close(setup, plain)
    assert all(torch.equal(value, statistics[name]) for name, value in setup.network.named_buffers())


def test_after_the_ascent_everything_is_as_it_was(net: Net) -> None:
    gradients(net, 0)
    before = copy.deepcopy(net.state_dict())
    with ascended(net, 0.5):
        assert not torch.equal(net.head.weight, before["head.weight"])
        net(torch.rand(8, 3, 5, 5))
        with torch.no_grad():
            net.norm.running_mean.fill_(float("nan"))  # type: ignore[union-attr]
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


# Without the compiler


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "muon"])
def test_without_the_compiler_they_do_the_same(name: Any, net: Net) -> None:
    settings = Optimizer(name=name, lr=LR, weight_decay=0.1, momentum=0.5 if name in ("sgd", "muon") else 0.0)
    networks = [net, copy.deepcopy(net)]
    for network, compiled in zip(networks, (False, True), strict=True):
        optimizer = optimizers.build(settings, network, compiled)
        for seed in range(3):
            gradients(network, seed)
            optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
    for ours, theirs in zip(*(network.state_dict().values() for network in networks), strict=True):
        assert torch.equal(ours, theirs)


TRAINED = """
import sys
from pathlib import Path
from core.run import worker
from tests.core.training import new_run
from tests.torture.recipes import recipe
for name in ("seed-like", "all of them"):
    assert worker.main([str(new_run(Path(sys.argv[1]) / name, recipe(name)).path), "--threads", "1"]) == 0
sys.exit(", ".join(sys.modules.keys() & {"torch._dynamo", "torch._inductor", "sympy"}) or 0)
"""


def test_a_training_that_is_not_compiled_loads_no_compiler(tmp_path: Path) -> None:
    """It would take longer than all else before the first step."""
    ended = subprocess.run([sys.executable, "-c", TRAINED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
