"""Shake-Shake: published sizes, shares of its own for each pass and image, and the recipe that is built on it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from core import models, recipe
from core.errors import UserError
from core.models import Inputs
from core.models.shakeshake import Block, Shake, Shortcut, shaken
from core.sections import AutoAugment, Crop, Cutout, Flip
from core.training import device as devices


def settings(channels: int, depth: int = 26) -> dict[str, object]:
    return {"name": "shakeshake", "depth": depth, "channels": channels}


# With its norms, a branch from c to w channels has 9cw + 9ww + 4w, a shortcut cw + 2w, and a block two branches.
# 2x32d: 464 of the first convolution and its norm, three stages of one block with a shortcut and three without,
#   28,480 + 3 x 37,120, 113,280 + 3 x 147,968, 451,840 + 3 x 590,848, and 1,290 of the linear layer.
# 2x40d: 464 + (41,360 + 3 x 57,920) + (176,800 + 3 x 231,040) + (705,600 + 3 x 922,880) + 1,610
@pytest.mark.parametrize(("channels", "parameters"), [(32, 2_923_162), (40, 4_561_354)], ids=["2x32d", "2x40d"])
def test_networks_have_the_published_parameters(channels: int, parameters: int) -> None:
    assert sum(layer.parameters for layer in models.layers(settings(channels), Inputs(10))) == parameters


def test_macs_agree_with_a_count_by_hand() -> None:
    stages = [(16, 40, 32), (40, 80, 16), (80, 160, 8)]
    convolutions = sum(side**2 * 2 * (9 * before * after + 7 * 9 * after**2) for before, after, side in stages)
    shortcuts = sum(side**2 * before * after for before, after, side in stages)
    assert 32 * 32 * 27 * 16 + convolutions + 160 * 10 == 661_046_848
    assert models.count_macs(settings(40), Inputs(10)) == 661_046_848 + shortcuts == 663_340_608


@pytest.mark.parametrize("inputs", [Inputs(10), Inputs(3, 1, 32), Inputs(7, 3, 48), Inputs(2, 3, 33)])
def test_logits_have_one_value_a_class_whatever_the_input(inputs: Inputs) -> None:
    network = models.build(settings(4, depth=8), inputs)
    assert network(torch.zeros(2, inputs.channels, inputs.size, inputs.size)).shape == (2, inputs.classes)


def test_forward_and_backward_have_shares_of_their_own() -> None:
    first, second = (torch.randn(4, 2, 3, 3, requires_grad=True) for _ in range(2))
    forward, backward = torch.rand(2, 4, 1, 1, 1)
    output = Shake.apply(first, second, forward, backward)
    torch.testing.assert_close(output, forward * first + (1 - forward) * second)
    gradient = torch.randn_like(output)
    output.backward(gradient)
    torch.testing.assert_close(first.grad, backward * gradient)
    torch.testing.assert_close(second.grad, (1 - backward) * gradient)


def shares(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Of the forward and the backward pass [count], as drawn after seeding torch."""
    first = torch.ones(count, 1, 1, 1, requires_grad=True)
    torch.manual_seed(seed)
    output = shaken(first, torch.zeros(count, 1, 1, 1))
    torch.rand(7)  # what is drawn between the passes has no part in it
    output.sum().backward()  # type: ignore[no-untyped-call]
    assert first.grad is not None
    return output.detach().flatten(), first.grad.flatten()


def test_shares_are_uniform_independent_and_the_images_own() -> None:
    forward, backward = shares(0, 20_000)
    for share in (forward, backward):
        assert 0 <= float(share.min()) < 0.01 and 0.99 < float(share.max()) <= 1
        assert float(share.mean()) == pytest.approx(1 / 2, abs=0.01) and float(share.var()) == pytest.approx(1 / 12, abs=0.002)
    assert abs(float(torch.corrcoef(torch.stack((forward, backward)))[0, 1])) < 0.03


def test_shares_are_a_function_of_the_seed() -> None:
    assert all(map(torch.equal, shares(1, 8), shares(1, 8)))
    assert not any(map(torch.equal, shares(1, 8), shares(2, 8)))


def test_evaluation_takes_half_of_each_branch() -> None:
    torch.manual_seed(0)
    block, x = Block(4, 4, 1).eval(), torch.randn(3, 4, 8, 8)
    activated = F.relu(x)
    torch.testing.assert_close(block(x), x + 0.5 * block.branch1(activated) + 0.5 * block.branch2(activated))
    assert torch.equal(block(x), block(x))


@pytest.mark.parametrize("stride", [1, 2])
def test_the_shortcuts_second_half_sees_the_pixels_up_and_left(stride: int) -> None:
    torch.manual_seed(0)
    shortcut = Shortcut(3, 4, stride).eval()
    x = torch.randn(2, 3, 6, 6)
    output = shortcut(x) * (1 + shortcut.bn.eps) ** 0.5
    for row, column in ((1, 2), (2, 0), (0, 1)):
        pixel = x[:, :, stride * row, stride * column]
        torch.testing.assert_close(output[:, :2, row, column], pixel @ shortcut.conv1.weight[:, :, 0, 0].T)
        seen = x[:, :, stride * row - 1, stride * column - 1] if row and column else torch.zeros(2, 3)
        torch.testing.assert_close(output[:, 2:, row, column], seen @ shortcut.conv2.weight[:, :, 0, 0].T)


def gradients(images: Tensor, *, placed: bool) -> list[Tensor]:
    torch.manual_seed(0)
    network = models.build(settings(16, depth=8), Inputs(10))
    if placed:
        network = devices.place(network, torch.device("cpu"))
    torch.manual_seed(1)
    F.cross_entropy(network(images), torch.arange(len(images))).backward()  # type: ignore[no-untyped-call]
    return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def test_channels_last_gives_the_same_gradients() -> None:
    torch.manual_seed(2)
    images = torch.randn(4, 3, 16, 16)
    placed, plain = gradients(images, placed=True), gradients(images, placed=False)
    assert any(gradient.dim() == 4 and not gradient.is_contiguous() for gradient in placed)
    for ours, theirs in zip(placed, plain, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
    assert all(map(torch.equal, placed, gradients(images, placed=True)))


def test_blending_keeps_the_memory_layout() -> None:
    first, second = (torch.randn(2, 4, 3, 3).contiguous(memory_format=torch.channels_last) for _ in range(2))
    first.requires_grad_()
    output = shaken(first, second)
    output.backward(torch.ones_like(output))  # type: ignore[no-untyped-call]
    assert output.is_contiguous(memory_format=torch.channels_last)
    assert first.grad is not None and first.grad.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"depth": 28}, "depth must be 2 more than a multiple of 6"),
        ({"channels": 33}, "channels must be even"),
        ({"chanels": 32}, "did you mean 'channels'"),
    ],
)
def test_wrong_settings_name_the_key(changed: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as caught:
        models.build({"name": "shakeshake", **changed}, Inputs(10))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_recipe_max_fits_its_limit_and_chooses_nothing_on_test() -> None:
    largest = recipe.load("max")
    assert models.count_macs(largest.model, Inputs(10)) == 663_340_608
    parameters = sum(layer.parameters for layer in models.layers(largest.model, Inputs(10)))
    assert largest.parameter_limit == 5_000_000 and parameters == 4_561_354
    models.check_limit(parameters, largest.parameter_limit)
    assert [type(step) for step in largest.augment] == [AutoAugment, Crop, Flip, Cutout]
    assert (largest.data.validation, largest.early_stopping.enabled, largest.evaluation.weights) == (0, False, "last")
    assert not largest.watches and largest.deterministic and largest.precision == "auto"
