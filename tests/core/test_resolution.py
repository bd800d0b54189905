"""Training at a lower resolution first."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.data.resolution import check, resized, size_at
from core.errors import UserError
from core.sections import LowResolution
from core.training.trainer import Trainer
from tests.core.training import STEPS, Script, new_run, tiny, train

PLAN = (LowResolution(size=16, epochs=2), LowResolution(size=24, epochs=1))
FLEXIBLE = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
RIGID = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))


def images(side: int = 32) -> Tensor:
    return torch.randn(5, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_each_epoch_has_its_size() -> None:
    assert [size_at(PLAN, epoch, 32) for epoch in range(1, 6)] == [16, 16, 24, 32, 32]
    assert size_at((), 1, 32) == 32


def test_at_full_size_nothing_is_touched() -> None:
    given = images()
    assert resized(given, 32) is given


@pytest.mark.parametrize("size", [16, 8, 4])
def test_whole_pixels_are_averaged(size: int) -> None:
    expected = functional.avg_pool2d(images(), 32 // size)
    assert torch.allclose(resized(images(), size), expected, atol=1e-6)


@pytest.mark.parametrize(("side", "size"), [(32, 24), (32, 20), (33, 30)])
def test_other_sizes_are_bicubic_with_antialiasing(side: int, size: int) -> None:
    expected = functional.interpolate(images(side), (size, size), mode="bicubic", antialias=True, align_corners=False)
    assert torch.allclose(resized(images(side), size), expected, atol=1e-6)


@pytest.mark.parametrize("size", [24, 16, 7])
def test_brightness_stays(size: int) -> None:
    assert torch.allclose(resized(torch.full((1, 3, 32, 32), 0.7), size), torch.full((1, 3, size, size), 0.7))


def test_a_size_above_the_data_is_refused() -> None:
    plan = (LowResolution(size=16, epochs=1), LowResolution(size=33, epochs=1))
    with pytest.raises(UserError, match=r"low_resolution\[1\].size: 33 is more than the 32 pixels of the data"):
        check(plan, FLEXIBLE, 3, 32)


def test_a_size_that_the_network_does_not_take_is_refused() -> None:
    with pytest.raises(UserError, match=r"low_resolution\[0\].size: the model does not take images of 16 pixels \(.*\)"):
        check(PLAN, RIGID, 3, 32)


def test_checking_leaves_the_network_as_it_was() -> None:
    before = {name: value.clone() for name, value in FLEXIBLE.state_dict().items()}
    check(PLAN, FLEXIBLE, 3, 32)
    assert FLEXIBLE.training
    assert all(torch.equal(value, before[name]) for name, value in FLEXIBLE.state_dict().items())


def test_a_training_shows_its_network_images_of_each_epochs_size(tmp_path: Path) -> None:
    """A batch is seen once in each step; measuring is at full size."""
    plan = [{"size": 16, "epochs": 1}, {"size": 24, "epochs": 1}]
    recipe = tiny(model={"name": "convnet", "widths": [8, 8]}, low_resolution=plan, mixing={"cutmix": 1.0})
    script = Script()
    training: list[int] = []
    measuring: list[int] = []

    def note(network: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        (training if network.training else measuring).append(inputs[0].shape[-1])

    def listen(trainer: Trainer) -> None:
        trainer.setup.network.register_forward_pre_hook(note)
        script.watch = lambda trainer: None

    script.watch = listen
    train(new_run(tmp_path / "run", recipe), script)
    assert training == [16] * STEPS + [24] * STEPS + [32] * STEPS
    assert set(measuring) == {32}
