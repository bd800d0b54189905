"""Wide and pre-activation residual networks: published sizes to the last parameter, and what each option does."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core import models
from core.errors import UserError
from core.models import Inputs, preact
from core.models.preact import Block, Config, Excitation, PreActResNet, skipped


def built(**settings: object) -> nn.Module:
    torch.manual_seed(0)
    return models.build({"name": "preact", **settings}, Inputs(10))


# One block with its norms, c to w channels: 2c + 9cw + 2w + 9ww, and cw where it projects.
#   16-64: 47,264      64-64: 73,984      64-128: 229,760    128-128: 295,424   128-256: 918,272   256-256: 1,180,672
#   16-32: 14,432      32-32: 18,560      32-64: 57,536
# A first convolution to 16 channels has 432; the last norm and the linear layer have 2w + 10w + 10, which is 3,082 for 256
# and 1,546 for 128.
# WRN-16-4: 432 + (47,264 + 73,984) + (229,760 + 295,424) + (918,272 + 1,180,672) + 3,082
# WRN-22-4: 73,984 + 295,424 + 1,180,672 = 1,550,080 more
# WRN-40-2: 432 + (14,432 + 5 x 18,560) + (57,536 + 5 x 73,984) + (229,760 + 5 x 295,424) + 1,546
@pytest.mark.parametrize(
    ("depth", "width", "parameters"), [(16, 4, 2_748_890), (22, 4, 4_298_970), (40, 2, 2_243_546)], ids=str
)
def test_wide_residual_networks_have_the_published_parameters(depth: int, width: int, parameters: int) -> None:
    settings = {"name": "wideresnet", "depth": depth, "width": width}
    assert sum(layer.parameters for layer in models.layers(settings, Inputs(10))) == parameters


# [4,4,3] x 64 as pre-activation blocks: 1,728 of the first convolution, 4 x 73,984, 229,760 + 3 x 295,424,
# 918,272 + 2 x 1,180,672, and 3,082 of the last norm and the linear layer. The ResNet of that shape in arXiv 2306.12100 has
# 4,697,742: 768 more, since norms follow its first convolution and its projections, and 580 of one squeeze-and-excitation of
# 64 channels (64 x 4 + 4 + 4 x 64 + 64). Here each block has one: 4 x 580, 4 x 2,184 of 128 channels, 3 x 8,464 of 256.
@pytest.mark.parametrize(("squeeze", "parameters"), [(0, 4_697_742 - 768 - 580), (16, 4_696_394 + 36_448)])
def test_pre_activation_networks_have_the_parameters_of_a_count_by_hand(squeeze: int, parameters: int) -> None:
    settings = {"name": "preact", "blocks": [4, 4, 3], "channels": [64, 128, 256], "squeeze": squeeze}
    assert sum(layer.parameters for layer in models.layers(settings, Inputs(10))) == parameters


def test_macs_agree_with_a_count_by_hand() -> None:
    stage1 = 32 * 32 * (9 * 3 * 16 + 9 * 16 * 64 + 5 * 9 * 64 * 64 + 16 * 64)
    stage2 = 16 * 16 * (9 * 64 * 128 + 5 * 9 * 128 * 128 + 64 * 128)
    stage3 = 8 * 8 * (9 * 128 * 256 + 5 * 9 * 256 * 256 + 128 * 256)
    settings = {"name": "wideresnet", "depth": 22, "width": 4}
    assert models.count_macs(settings, Inputs(10)) == stage1 + stage2 + stage3 + 256 * 10


@pytest.mark.parametrize("inputs", [Inputs(10), Inputs(3, 1, 32), Inputs(7, 3, 48), Inputs(2, 3, 33)])
@pytest.mark.parametrize(
    "settings",
    [
        {"name": "preact", "blocks": [1, 2], "channels": [4, 8], "stem": 6, "squeeze": 4, "activation": "silu"},
        {"name": "wideresnet", "depth": 10, "width": 1, "dropout": 0.3},
    ],
    ids=["preact", "wideresnet"],
)
def test_logits_have_one_value_a_class_whatever_the_input(settings: dict[str, object], inputs: Inputs) -> None:
    network = models.build(settings, inputs)
    assert network(torch.zeros(2, inputs.channels, inputs.size, inputs.size)).shape == (2, inputs.classes)


def test_a_block_is_what_the_paper_draws() -> None:
    torch.manual_seed(0)
    block = Block(4, 6, 2, 0.0, Config()).eval()
    x = torch.randn(3, 4, 8, 8)
    for norm in (block.bn1, block.bn2):
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias, -1, 1)
    assert block.projection is not None
    activated = F.relu(block.bn1(x))
    inner = F.conv2d(activated, block.conv1.weight, stride=2, padding=1)
    expected = F.conv2d(F.relu(block.bn2(inner)), block.conv2.weight, padding=1)
    expected = expected + F.conv2d(activated, block.projection.weight, stride=2)
    torch.testing.assert_close(block(x), expected)


def test_excitation_scales_each_channel_by_a_share_of_its_own() -> None:
    torch.manual_seed(0)
    excitation, x = Excitation(8, 4), torch.randn(5, 8, 3, 3)
    shares = excitation(x) / x
    torch.testing.assert_close(shares, shares[:, :, :1, :1].expand_as(x))
    assert (shares > 0).all() and (shares < 1).all() and len(shares[:, :, 0, 0].unique()) == 5 * 8
    nn.init.zeros_(excitation.excite.weight)
    nn.init.zeros_(excitation.excite.bias)
    torch.testing.assert_close(excitation(x), x / 2)


def test_stochastic_depth_skips_whole_images_and_keeps_the_expectation() -> None:
    torch.manual_seed(0)
    residual = skipped(torch.ones(20_000, 2, 1, 1), 0.4)
    assert sorted(set(residual.flatten().tolist())) == pytest.approx([0, 1 / 0.6])
    assert torch.equal(residual[:, 0], residual[:, 1])
    assert float(residual.mean()) == pytest.approx(1, abs=0.02)


def test_the_chance_to_skip_grows_with_depth() -> None:
    blocks = preact.residual_blocks(Config(blocks=(1, 3), channels=(4, 8), stochastic_depth=0.4), 4)
    assert [block.skip for block in blocks] == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("option", [{"stochastic_depth": 0.5}, {"dropout": 0.5}])
def test_what_is_random_comes_from_torchs_generator_in_training_alone(option: dict[str, float]) -> None:
    network = built(blocks=[1, 1], channels=[4, 8], **option)
    images = torch.rand(8, 3, 16, 16)
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(network(images))
    assert torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[0], outputs[2])
    network.eval()
    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu"])
def test_from_zero_a_block_passes_on_and_learns(activation: str) -> None:
    network = built(blocks=[2], channels=[4], zero_init=True, activation=activation)
    assert isinstance(network, PreActResNet)
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(network.blocks(x), x)
    network(torch.randn(2, 3, 8, 8)).square().sum().backward()
    last = [module.conv2.weight.grad for module in network.modules() if isinstance(module, Block)]
    assert last and all(gradient is not None and gradient.abs().max() > 0 for gradient in last)


def test_the_activation_is_the_one_that_is_named() -> None:
    images = torch.rand(2, 3, 8, 8)
    outputs = [built(blocks=[1], channels=[4], activation=name).eval()(images) for name in ("relu", "silu", "gelu")]
    assert not any(torch.equal(outputs[first], outputs[second]) for first, second in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "wideresnet", "depth": 28, "width": 0}, "model.width"),
        ({"name": "wideresnet", "depth": 26}, "depth must be 4 more than a multiple of 6"),
        ({"name": "preact", "blocks": [2, 2]}, "blocks and channels must list equally many stages (given: 2 and 3)"),
        ({"name": "preact", "activation": "tanh"}, "model.activation: expected one of relu, silu, gelu"),
        ({"name": "preact", "stochastic_depth": 1.0}, "model.stochastic_depth"),
        ({"name": "preact", "squeze": 16}, "did you mean 'squeeze'"),
    ],
)
def test_wrong_settings_name_the_key(settings: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as caught:
        models.build(settings, Inputs(10))
    assert words in str(caught.value) and "\n" not in str(caught.value)
