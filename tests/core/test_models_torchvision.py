"""torchvision's networks by name: built for the data, described, trained; what they do not take is one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision import models as library

from core import models
from core.commands import Save, Stop
from core.errors import UserError
from core.models import Inputs
from core.recipe import Recipe
from core.training.device import autocast
from core.training.setup import initialise
from tests.core.training import Script, fingerprint, last_progress, new_run, tiny, train


def built(name: str, inputs: Inputs = Inputs(10), **keys: Any) -> nn.Module:
    return models.build({"name": f"torchvision:{name}", **keys}, inputs)


def error(name: str, **keys: Any) -> str:
    with pytest.raises(UserError) as caught:
        models.sketch({"name": f"torchvision:{name}", **keys}, Inputs(10))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_is_torchvisions_own_for_these_classes() -> None:
    theirs = library.resnet18(weights=None, num_classes=10)
    ours = built("resnet18")
    assert {name: tensor.shape for name, tensor in ours.state_dict().items()} == {
        name: tensor.shape for name, tensor in theirs.state_dict().items()
    }


@pytest.mark.parametrize(("channels", "classes"), [(1, 2), (4, 5)])
def test_images_of_other_channels_get_another_first_convolution(channels: int, classes: int) -> None:
    network = built("resnet18", Inputs(classes, channels, 32)).eval()
    assert network(torch.rand(2, channels, 32, 32)).shape == (2, classes)
    first = network.get_submodule("conv1")
    assert isinstance(first, nn.Conv2d) and first.stride == (2, 2) and first.bias is None
    assert float(first.weight.detach().std()) == pytest.approx(
        float(built("resnet18").state_dict()["conv1.weight"].std()), rel=0.1
    )


@pytest.mark.parametrize("name", ["googlenet", "vit_b_16"])
def test_it_gives_logits_alone_in_training_and_is_made_for_the_size_of_the_images(name: str) -> None:
    network = models.sketch({"name": f"torchvision:{name}"}, Inputs(10))
    assert network.training and network(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, 10)


def test_keys_of_the_network_are_passed_on() -> None:
    dropout = next(each for each in built("mobilenet_v2", dropout=0.3).modules() if isinstance(each, nn.Dropout))
    assert dropout.p == 0.3


@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("resnet81", {}, r"torchvision has no classifier 'resnet81' \(did you mean 'resnet\d+'\?\); it has alexnet, "),
        ("fasterrcnn_resnet50_fpn", {}, "has no classifier"),
        ("alexnet", {}, r"torchvision:alexnet does not take images of 3x32x32: .*too small; use another data\.size"),
        ("inception_v3", {}, r"does not take images of 3x32x32: .*Kernel size"),
        ("maxvit_t", {}, r"cannot be built for images of 32 pixels: .*partition size"),
        (
            "resnet18",
            {"blocks": [5, 3, 2, 1]},
            r"model\.blocks: torchvision:resnet18 takes no such key.*; it takes zero_init_residual, .*--model torchvi",
        ),
        ("resnet18", {"width_per_grup": 3}, r"did you mean 'width_per_group'\?"),
        ("resnet18", {"weights": "IMAGENET1K_V1"}, r"model\.weights: torchvision:resnet18 takes no such key"),
        ("resnet18", {"norm_layer": "x"}, r"model\.norm_layer: torchvision:resnet18 takes no such key"),
        ("resnet18", {"num_classes": 3}, r"model\.num_classes: torchvision:resnet18 takes no such key"),
        ("resnet18", {"width_per_group": 10**9}, r"model\.width_per_group: expected a number up to 4096"),
        ("resnet18", {"width_per_group": {"a": 1}}, r"model\.width_per_group: expected a number"),
        ("vit_b_16", {"num_layers": 3}, r"cannot be built .* and num_layers = 3: .*multiple values"),
        ("mobilenet_v2", {"dropout": 7}, r"cannot be built for images of 32 pixels and dropout = 7: dropout probability"),
    ],
)
def test_what_it_is_not_or_does_not_take_is_one_line(name: str, keys: dict[str, object], words: str) -> None:
    message = error(name, **keys)
    assert re.search(words, message), message


@pytest.mark.parametrize("name", ["foo:bar", "torch:x", ":", "torchvision", "hub:x"])
def test_another_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(UserError, match=r"model\.name: .* is not known; .*torchvision:NAME, timm:NAME or python:"):
        models.build({"name": name}, Inputs(2))


# What is counted


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet18", 1814), ("vit_b_16", 17_564), ("mobilenet_v2", 299.5), ("resnext50_32x4d", 4228)]
)
def test_arithmetic_is_what_is_known_of_these_networks(name: str, millions: float) -> None:
    """At 224 pixels, as torchvision's documentation has them (with a head of 1,000 classes); attention and groups included."""
    inputs = Inputs(1000, 3, 224)
    layers = models.layers({"name": f"torchvision:{name}"}, inputs)
    assert sum(layer.macs for layer in layers) == pytest.approx(millions * 1e6, rel=0.01)
    assert sum(layer.parameters for layer in layers) == models.count_parameters(built(name, inputs))


@pytest.mark.torture
def test_one_that_cannot_be_built_without_memory_is_built_with_it() -> None:
    layers = models.layers({"name": "torchvision:regnet_y_400mf"}, Inputs(10))
    assert layers[-1].name == "fc" and layers[-1].parameters == 4410


# Trained


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2", "vgg11_bn"])
def test_what_changes_in_place_trains_with_convolutions_and_norms_of_our_own(name: str, precision: str) -> None:
    """The loss is what it is with torch's own, within the rounding of so few images."""
    losses = []
    images, labels = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(8)
    for convolution in ("winograd", "direct"):
        torch.manual_seed(0)
        recipe = tiny(model={"name": f"torchvision:{name}"}, precision=precision, convolution=convolution)
        network = initialise(recipe, Inputs(10), torch.device("cpu"))
        torch.manual_seed(0)
        with autocast(precision, torch.device("cpu")):
            output = network(images)
        loss = functional.cross_entropy(output.float(), labels)
        torch.autograd.backward(loss)
        assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3 if precision == "fp32" else 0.1)


def training_of(name: str, **changes: object) -> Recipe:
    return tiny(model={"name": name}, epochs=2, precision="fp32", **changes)


def test_with_dropout_and_killed_within_an_epoch_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    recipe = training_of("torchvision:mobilenet_v3_small")
    whole, killed_run = (new_run(tmp_path / name, recipe) for name in ("whole", "killed"))
    train(whole)
    killed, stopped = Script(), Script()
    killed.at, killed.kill_at = {1: [Save()]}, 3
    stopped.at = {6: [Stop()]}
    for script in (killed, stopped, Script()):
        train(killed_run, script)
    assert fingerprint(killed_run) == fingerprint(whole)
    assert last_progress(killed_run) == last_progress(whole)
