"""Architectures: the seed's parameter count to the last one, MACs, and errors that name the key."""

from __future__ import annotations

import pytest
import torch

from core import models, recipe
from core.errors import UserError
from core.models import Inputs


@pytest.mark.parametrize(("name", "parameters"), [("seed", 4_257_260), ("seed-4.9m", 4_978_060)])
def test_the_seeds_have_the_parameters_that_their_tables_give(name: str, parameters: int) -> None:
    settings = recipe.load(name).model
    assert models.count_parameters(models.build(settings, Inputs(10))) == parameters
    assert sum(layer.parameters for layer in models.layers(settings, Inputs(10))) == parameters


def test_macs_of_the_seed_agree_with_a_count_by_hand() -> None:
    def block(channels_in: int, channels: int, side: int) -> int:
        skip = channels_in * channels if channels_in != channels else 0
        return side * side * (9 * channels_in * channels + 9 * channels * channels + skip)

    by_hand = 32 * 32 * 27 * 50 + 5 * block(50, 50, 32)
    by_hand += block(50, 100, 16) + 2 * block(100, 100, 16)
    by_hand += block(100, 200, 8) + block(200, 200, 8) + block(200, 400, 4) + 400 * 10
    assert models.count_macs(recipe.load("seed").model, Inputs(10)) == by_hand == 477_546_400


@pytest.mark.parametrize("inputs", [Inputs(10), Inputs(3, 1, 32), Inputs(7, 3, 48), Inputs(2, 3, 33)])
def test_logits_have_one_value_a_class_whatever_the_input(inputs: Inputs) -> None:
    network = models.build({"name": "resnet", "blocks": [1, 1], "channels": 4}, inputs).eval()
    assert network(torch.zeros(2, inputs.channels, inputs.size, inputs.size)).shape == (2, inputs.classes)


def test_dropout_works_in_training_and_not_in_evaluation() -> None:
    network = models.build({"name": "resnet", "blocks": [1], "channels": 8, "dropout": 0.5}, Inputs(4))
    images = torch.rand(3, 3, 32, 32)
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "model.name: None is not known"),
        ({"name": "resnet", "kernel": 2}, "kernel must be odd"),
        ({"name": "resnet", "kernal": 3}, "did you mean 'kernel'"),
        ({"name": "resnet", "blocks": []}, "model.blocks"),
        ({"name": "resnet", "channels": "many"}, "model.channels: expected a whole number"),
        ({"name": "resnet", "dropout": 1.0}, "model.dropout"),
        ({"name": "resnet", "pool": 5}, "model.pool: 5 is larger than the 4x4 feature map"),
    ],
)
def test_wrong_settings_name_the_key(settings: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as caught:
        models.build(settings, Inputs(10))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_parameter_limit_is_a_clear_error() -> None:
    models.check_limit(5_000_000, 5_000_000)
    with pytest.raises(UserError, match=r"5,000,001 trainable parameters, 1 more than the limit of 5,000,000"):
        models.check_limit(5_000_001, 5_000_000)
