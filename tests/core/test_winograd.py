"""Convolutions by minimal filtering give what direct ones give, gradients included, and leave a network's parameters alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from core.models import Inputs
from core.training import winograd, winograd_tiles
from core.training.setup import initialise
from tests.core.training import tiny


@pytest.mark.parametrize("m", winograd_tiles.TILES)
def test_the_transforms_are_exact_in_one_tile(m: int) -> None:
    data, weight, output = winograd_tiles.transforms(m, torch.float64)
    generator = torch.Generator().manual_seed(m)
    tile, filters = (torch.randn(side, side, dtype=torch.float64, generator=generator) for side in (m + 2, 3))
    found = output @ ((weight @ filters.flatten()) * (data @ tile.flatten()))
    expected = functional.conv2d(tile[None, None], filters[None, None]).flatten()
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("count", "channels_in", "channels", "height", "width"), [
    (1, 1, 1, 1, 1), (3, 5, 7, 8, 8), (2, 4, 3, 7, 9), (5, 3, 2, 3, 3), (2, 2, 4, 6, 2), (33, 32, 48, 16, 16),
])  # fmt: skip
def test_values_and_gradients_are_those_of_the_direct_convolution(
    count: int, channels_in: int, channels: int, height: int, width: int, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, channels_in, height, width, dtype=dtype, generator=generator)
    weight = torch.randn(channels, channels_in, 3, 3, dtype=dtype, generator=generator)
    gradient = torch.randn(count, channels, height, width, dtype=dtype, generator=generator)
    found, expected = (
        _with_gradients(function, images, weight, gradient)
        for function in (winograd.convolve, lambda images, weight: functional.conv2d(images, weight, padding=1))
    )
    tolerance = 1e-10 if dtype == torch.float64 else 2e-5
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


def _with_gradients(
    function: object, images: torch.Tensor, weight: torch.Tensor, gradient: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    assert callable(function)
    images, weight = images.clone().requires_grad_(), weight.clone().requires_grad_()
    output = function(images, weight)
    output.backward(gradient)
    assert images.grad is not None and weight.grad is not None
    return output.detach(), images.grad, weight.grad


def test_many_images_go_through_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    images, weight = torch.randn(9, 4, 8, 8), torch.randn(4, 4, 3, 3)
    whole = winograd.convolve(images, weight)
    winograd_tiles.plan.cache_clear()
    monkeypatch.setattr(winograd_tiles, "CACHE", 1)
    try:
        assert winograd_tiles.plan(8, 8, 4, 4, 4).images == 1
        torch.testing.assert_close(winograd.convolve(images, weight), whole, rtol=1e-3, atol=1e-4)
    finally:
        winograd_tiles.plan.cache_clear()


def test_with_tiles_of_bfloat16_only_many_channels_pay() -> None:
    for tiles, expected in ((False, [True, True]), (True, [False, True])):
        network = nn.Sequential(nn.Conv2d(64, 256, 3, padding=1), nn.Conv2d(256, 256, 3, padding=1))
        winograd.adopt(network, torch.bfloat16, tiles)
        assert [isinstance(layer, winograd.Convolution) for layer in network] == expected


def test_a_network_keeps_its_parameters_and_their_names() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.Conv2d(64, 128, 3, padding=1), nn.Conv2d(128, 64, 3, 2, 1), nn.Conv2d(64, 32, 1)
    )
    before = dict(network.named_parameters())
    images = torch.randn(2, 3, 8, 8)
    expected = network(images)
    winograd.adopt(network)
    assert [isinstance(layer, winograd.Convolution) for layer in network] == [False, True, False, False]
    assert dict(network.named_parameters()).keys() == before.keys()
    assert all(parameter is before[name] for name, parameter in network.named_parameters())
    torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("convolution", "precision", "expected"), [
    ("winograd", "fp32", True), ("direct", "fp32", False), ("winograd", "bf16", True), ("direct", "bf16", False),
])  # fmt: skip
def test_a_recipe_says_how_convolutions_are_computed(convolution: str, precision: str, expected: bool) -> None:
    model = {"name": "convnet", "widths": [256, 256]}
    recipe = tiny(model=model, convolution=convolution, precision=precision)
    network = initialise(recipe, Inputs(10), torch.device("cpu"))
    assert any(isinstance(module, winograd.Convolution) for module in network.modules()) is expected


def test_in_bfloat16_it_trains_within_that_types_digits_and_measures_directly() -> None:
    direct = nn.Conv2d(256, 256, 3, padding=1, bias=False)
    network = nn.Sequential(direct)
    winograd.adopt(network, torch.bfloat16)
    images = torch.randn(4, 256, 8, 8, generator=torch.Generator().manual_seed(0))
    weight, gradient = direct.weight.detach(), images.flip(0)
    exact = _with_gradients(lambda images, weight: functional.conv2d(images, weight, padding=1), images, weight, gradient)
    inputs = images.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        output = network(inputs)
    output.backward(gradient.bfloat16())
    assert inputs.grad is not None and direct.weight.grad is not None
    for found, expected in zip((output, inputs.grad, direct.weight.grad), exact, strict=True):
        assert 1e-3 < (found - expected).norm() / expected.norm() < 0.05
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        torch.testing.assert_close(network.eval()(images), direct(images), rtol=0, atol=0)


def test_what_it_gives_can_be_changed_in_place() -> None:
    convolution = winograd.Convolution(64, 128, 3, padding=1, bias=False)
    images = torch.randn(2, 64, 6, 6).requires_grad_()
    torch.autograd.backward(functional.relu_(convolution(images)).sum())
    again = images.detach().clone().requires_grad_()
    torch.autograd.backward(functional.conv2d(again, convolution.weight, padding=1).relu().sum())
    torch.testing.assert_close(images.grad, again.grad, rtol=1e-3, atol=1e-4)


def test_weights_of_bfloat16_get_their_gradient() -> None:
    images, weight = torch.randn(4, 64, 8, 8), torch.randn(64, 64, 3, 3) / 24
    exact = _with_gradients(lambda images, weight: functional.conv2d(images, weight, padding=1), images, weight, images)
    narrow = _with_gradients(winograd.convolve, images.bfloat16(), weight.bfloat16(), images.bfloat16())
    for found, expected in zip(narrow, exact, strict=True):
        assert found.dtype == torch.bfloat16 and (found - expected).norm() / expected.norm() < 0.1


def test_without_images_or_on_another_device_it_is_torchs_own() -> None:
    assert winograd.Convolution(64, 128, 3, padding=1)(torch.empty(0, 64, 8, 8)).shape == (0, 128, 8, 8)
    elsewhere = winograd.Convolution(64, 128, 3, padding=1, device="meta")
    assert elsewhere(torch.empty(2, 64, 8, 8, device="meta"), halve=True).shape == (2, 128, 4, 4)


def test_its_gradient_has_none() -> None:
    weight, images = torch.randn(8, 8, 3, 3), torch.randn(2, 8, 4, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(winograd.convolve(images, weight).square().sum(), images, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.autograd.backward(gradient.square().sum())


def test_the_tile_is_the_one_that_multiplies_least() -> None:
    assert winograd_tiles.plan(16, 16, 64, 64, 4).m == 4
    assert winograd_tiles.plan(6, 6, 64, 64, 4).m == 3
    assert winograd_tiles.plan(2, 2, 64, 64, 4).m == 2
