"""The plain convolutional network: its size, its whitening layer, its first weights."""

from __future__ import annotations

import pytest
import torch

from core import models
from core.data import silent
from core.errors import UserError
from core.models import FromData, Inputs
from core.models.convnet import Config, ConvNet, build, whitening
from core.training.setup import prepare
from tests.core.training import tiny


def test_parameters_and_shapes() -> None:
    network = build(Config(), Inputs(10))
    # 9 x (24x64 + 64x64 + 64x256 + 3 x 256x256) filters, 2 x (64 + 256 + 256) shifts, 256 x 10 of the head.
    assert models.count_parameters(network) == 1_967_616 + 1_152 + 2_560
    for size in (32, 24, 20, 16):
        assert network(torch.zeros(2, 3, size, size)).shape == (2, 10)
    assert models.count_parameters(build(Config(depth=3), Inputs(10))) == 1_971_328 + 9 * (64**2 + 2 * 256**2) + 576


def test_a_network_that_halves_the_image_away_is_refused() -> None:
    with pytest.raises(UserError, match="halve images of 8 pixels away"):
        build(Config(widths=(8, 8, 8, 8)), Inputs(10, 3, 8))


def test_whitened_patches_are_uncorrelated_and_of_one_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.avg_pool2d(torch.randn(64, 3, 24, 24, generator=generator), 3, 1)
    filters = whitening(smooth)
    assert filters.shape == (24, 3, 2, 2) and torch.equal(filters[:12], -filters[12:])
    answers = torch.nn.functional.conv2d(smooth, filters[:12]).transpose(0, 1).flatten(1).double()
    covariance = answers @ answers.T / answers.shape[1]
    assert (covariance - torch.diag(covariance.diag())).abs().max() < 1e-3
    assert (covariance.diag() > 0.9).all() and (covariance.diag() <= 1.001).all()


def test_training_begins_from_the_data_and_leaves_the_whitening_alone() -> None:
    setup = prepare(tiny(model={"name": "convnet", "widths": [8, 8]}), 1, silent)
    assert isinstance(setup.network, ConvNet) and isinstance(setup.network, FromData)
    images = setup.train.images[:].float() / 255
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in setup.normalisation)
    torch.testing.assert_close(setup.network.whiten.weight, whitening((images - mean) / std), rtol=1e-3, atol=1e-3)
    trained = {id(parameter) for group in setup.optimizer.param_groups for parameter in group["params"]}
    assert id(setup.network.whiten.weight) not in trained


def test_convolutions_begin_by_passing_their_input_on() -> None:
    network = build(Config(widths=(32, 16)), Inputs(10))
    assert isinstance(network, ConvNet)
    images = torch.randn(2, 24, 8, 8)
    first = next(module for module in network.groups.modules() if isinstance(module, torch.nn.Conv2d))
    torch.testing.assert_close(first(images)[:, :24], images)
    assert network.head.weight.std().item() == pytest.approx(1.0)


def test_the_activation_is_the_recipes() -> None:
    images = torch.randn(2, 3, 32, 32)
    outputs = []
    for activation in ("gelu", "silu", "relu"):
        torch.manual_seed(0)
        outputs.append(build(Config(widths=(8, 8), activation=activation), Inputs(10))(images))
    assert not torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[1], outputs[2])
