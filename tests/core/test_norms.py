"""Batch norm with its activation gives what torch's two operations give, gradients and running statistics included."""

from __future__ import annotations

import copy
from typing import Self

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from core.models._layers import ACTIVATIONS, Activation, activated
from core.training import norms
from core.training.kernels import kernels, lacking

pytestmark = pytest.mark.skipif(kernels(torch.float32) is None, reason=lacking(torch.float32) or "there are kernels")


def trained(
    norm: nn.Module, activation: Activation | None, images: Tensor, gradient: Tensor, plus: Tensor | None = None
) -> list[Tensor]:
    """Output, gradients and running statistics."""
    images, plus = images.clone().requires_grad_(), None if plus is None else plus.clone().requires_grad_()
    output = norm(images) if activation is None else activated(norm, activation, images, plus)
    output.backward(gradient.to(output.dtype))
    assert images.grad is not None and isinstance(norm, nn.BatchNorm2d)
    assert norm.weight.grad is not None and norm.bias.grad is not None
    assert norm.running_mean is not None and norm.running_var is not None
    more = [] if plus is None or plus.grad is None else [plus.grad]
    return [output.detach(), images.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var, *more]


def plain(channels: int) -> nn.BatchNorm2d:
    norm, generator = nn.BatchNorm2d(channels, momentum=0.3), torch.Generator().manual_seed(0)
    nn.init.normal_(norm.weight, generator=generator)
    nn.init.normal_(norm.bias, generator=generator)
    return norm


@pytest.mark.parametrize("away", [0, 50])
@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("count", "channels", "height", "width"),
    [(20, 64, 16, 16), (3, 50, 7, 5), (4, 50, 8, 8), (2, 50, 5, 2), (4, 3, 4, 4), (2, 3, 1, 1), (9, 256, 2, 2)],
)
def test_all_that_it_gives_is_right(
    count: int, channels: int, height: int, width: int, dtype: torch.dtype, activation: Activation | None, away: float
) -> None:
    """Also where the mean is far from zero."""
    generator = torch.Generator().manual_seed(1)
    images = (torch.randn(count, channels, height, width, generator=generator) * 2 + away).to(dtype)
    gradient = torch.randn(images.shape, generator=generator).to(dtype)
    norm = plain(channels)
    exact = trained(copy.deepcopy(norm).double(), activation, images.double(), gradient.double())
    found = trained(norms.Norm.of(norm), activation, images, gradient)
    assert found[0].dtype == dtype and int(norm.num_batches_tracked or 0) == 1
    # With two images of one pixel a deviation is a difference of two numbers, which the gradient divides by.
    allowed = 2e-5 if dtype == torch.float32 else 1e-2
    for ours, theirs in zip(found, exact, strict=True):
        limit = allowed * float(theirs.norm()) + 1e-4 * (count * height * width < 10)
        assert float((ours.double() - theirs).norm()) <= limit


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channels", [64, 50])
def test_what_is_added_before_the_activation_is_right(channels: int, dtype: torch.dtype, activation: Activation) -> None:
    generator = torch.Generator().manual_seed(2)
    images, plus, gradient = (torch.randn(7, channels, 4, 3, generator=generator).to(dtype) for _ in range(3))
    exact = trained(plain(channels).double(), activation, images.double(), gradient.double(), plus.double())
    found = trained(norms.Norm.of(plain(channels)), activation, images, gradient, plus)
    assert len(found) == 7 and found[-1].dtype == dtype
    for ours, theirs in zip(found, exact, strict=True):
        assert float((ours.double() - theirs).norm()) <= (2e-5 if dtype == torch.float32 else 1e-2) * float(theirs.norm())


def test_what_is_added_and_is_of_another_type_or_spread_is_added_by_torch() -> None:
    images, norm = torch.randn(4, 8, 3, 3), plain(8)
    for plus in (torch.randn(4, 8, 3, 3).bfloat16(), torch.randn(1, 8, 1, 1)):
        ours, theirs = (
            activated(one, "relu", images, plus) for one in (norms.Norm.of(copy.deepcopy(norm)), copy.deepcopy(norm))
        )
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("worst", [float("nan"), float("inf")])
@pytest.mark.parametrize("activation", [None, "relu", "silu"])
def test_what_is_not_finite_stays_that(activation: Activation | None, worst: float) -> None:
    images = torch.randn(4, 32, 3, 3)
    images[1, 5, 2, 2] = worst
    output, gradient, *_ = trained(norms.Norm.of(plain(32)), activation, images, torch.ones_like(images))
    assert output[:, 5].isnan().any() and output[:, 6].isfinite().all()
    assert not gradient[:, 5].isfinite().all() and gradient[:, 6].isfinite().all()


def test_what_is_measured_is_torchs_own() -> None:
    images, norm = torch.randn(4, 32, 3, 3), plain(32).eval()
    ours = norms.Norm.of(norm)
    assert not ours.training
    assert torch.equal(activated(ours, "silu", images), activated(norm, "silu", images))


def test_weights_of_another_type_are_torchs_affair() -> None:
    images, norm = torch.randn(4, 8, 3, 3).bfloat16(), plain(8).bfloat16()
    ours = norms.Norm.of(copy.deepcopy(norm))
    assert torch.equal(ours(images), norm(images))


def test_on_another_device_torch_does_it() -> None:
    norm = norms.Norm(8, device="meta")
    assert norm(torch.empty(2, 8, 4, 4, device="meta")).shape == (2, 8, 4, 4)


def test_what_it_gives_can_be_changed_in_place() -> None:
    images, norm = torch.randn(4, 8, 3, 3), plain(8)
    gradients = []
    for one in (norms.Norm.of(copy.deepcopy(norm)), copy.deepcopy(norm)):
        x = images.clone().requires_grad_()
        output = one(x)
        output += 1
        torch.autograd.backward(functional.relu_(output).square().sum())
        gradients.append(x.grad)
    torch.testing.assert_close(*gradients)


def test_its_gradient_has_none() -> None:
    images = torch.randn(4, 8, 3, 3).requires_grad_()
    output = norms.Norm.of(plain(8))(images)
    (gradient,) = torch.autograd.grad(output.square().sum(), images, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.autograd.backward(gradient.square().sum())


def test_only_plain_norms_are_taken_and_their_names_stay() -> None:
    class Other(nn.BatchNorm2d):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input) * 2

    class Frozen(nn.BatchNorm2d):
        def train(self, mode: bool = True) -> Self:
            return super().train(False)

    hooked, listened = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
    hooked.register_forward_hook(lambda *_: None)
    listened.register_full_backward_hook(lambda *_: None)
    network = nn.Sequential(
        nn.BatchNorm2d(4), Other(4), Frozen(4), parametrizations.weight_norm(nn.BatchNorm2d(4)), hooked, listened,
        nn.BatchNorm2d(4, affine=False), nn.BatchNorm2d(4, momentum=None),
        nn.BatchNorm2d(4, track_running_stats=False), nn.BatchNorm1d(4),
    )  # fmt: skip
    before = network.state_dict(keep_vars=True)
    norms.adopt(network)
    assert [isinstance(module, norms.Norm) for module in network] == [True] + [False] * 9
    after = network.state_dict(keep_vars=True)
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)
