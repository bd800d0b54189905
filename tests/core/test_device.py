"""Where to train: the choice of device and precision, and the memory layout that is safe there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core import models
from core.errors import UserError
from core.models import Inputs
from core.training.device import autocast, available_devices, choose_device, choose_precision, has_fast_bf16, place

CPU = torch.device("cpu")


def test_auto_is_the_best_that_there_is() -> None:
    assert str(choose_device("auto")).partition(":")[0] == available_devices()[0].partition(":")[0]
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "", "meta:x", "\x1b[2J"])
def test_a_device_that_is_not_there_is_answered_with_those_that_are(name: str) -> None:
    with pytest.raises(UserError, match=r"available: .*cpu"):
        choose_device(name)


def test_auto_precision_is_bf16_only_where_the_hardware_has_it() -> None:
    assert choose_precision("auto", CPU) == ("bf16" if has_fast_bf16(CPU) else "fp32")
    assert choose_precision("bf16", CPU) == "bf16"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_kernels_of_our_own_do_not_lead_around_that(precision: str) -> None:
    """Their outputs are channels last, whatever their inputs are."""
    network = models.build({"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 16}, Inputs(2))
    network = place(network, CPU, "winograd", precision)
    seen = list[bool]()
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.stride != (1, 1):
            module.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].is_contiguous()))
    with autocast(precision, CPU):
        network(torch.rand(4, 3, 32, 32)).sum().backward()
    assert seen == [True]


@pytest.mark.parametrize(("channels", "layout"), [(50, torch.channels_last), (4, torch.contiguous_format)])
def test_the_layout_avoids_the_kernel_that_corrupts_memory(channels: int, layout: torch.memory_format) -> None:
    network = place(models.build({"name": "resnet", "blocks": [1, 1], "channels": channels, "pool": 16}, Inputs(2)), CPU)
    weight = next(network.parameters())
    assert weight.is_contiguous(memory_format=layout)
    for _ in range(30):  # with the wrong layout and 4 channels this hangs, or ends the process
        network(torch.rand(4, 3, 32, 32).to(memory_format=torch.channels_last)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
