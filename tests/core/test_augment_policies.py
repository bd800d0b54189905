"""TrivialAugment and AutoAugment against torchvision's own, operation by operation and as a whole."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import AutoAugment, AutoAugmentPolicy, TrivialAugmentWide
from torchvision.transforms.v2.functional import InterpolationMode

from core import data
from core.data.augment import operations, policies
from core.data.augment.operations import Choices, Operation
from core.sections import Data
from core.sections import TrivialAugment as Settings
from tests.core.pictures import draws, pictures

NAMES = {operation: operation.name.title().replace("_", "") for operation in Operation}
"""As torchvision calls them."""
AUTO = AutoAugment(AutoAugmentPolicy.CIFAR10)


def mixed_pictures(height: int = 32, width: int = 32) -> Tensor:
    """White noise, real pictures, one of few levels, one of a single level, one that is black but for a pixel."""
    noise = pictures(6, height, width)
    noise[2] //= 5
    noise[3], noise[4] = 77, 0
    noise[4, :, 3, 5] = 255
    noise[5, 1] = 12
    real = torch.from_numpy(data.load(Data(source="sample")).train.pixels[:6].copy())
    rows, columns = torch.arange(height) % 32, torch.arange(width) % 32
    return torch.cat((noise, real[:, :, rows[:, None], columns]))


def theirs(images: Tensor, name: str, magnitude: float) -> Tensor:
    result: Tensor = TrivialAugmentWide()._apply_image_or_video_transform(
        images, name, magnitude, InterpolationMode.NEAREST, {torch.Tensor: None}
    )
    return result


def magnitudes_of(space: dict[str, tuple[object, bool]], name: str, bins: int, height: int, width: int) -> list[float]:
    """torchvision's, of both signs: in the order of our rows."""
    function, signed = space[name]
    found = function(bins, height, width)  # type: ignore[operator]
    values = [0.0] * bins if found is None else [float(value) for value in found]
    return [sign * value for value in values for sign in (1, -1 if signed else 1)]


def assert_equal(ours: Tensor, expected: Tensor) -> None:
    """One level in a value that rounding decides, no more; almost everywhere none."""
    difference = (ours.int() - expected.int()).abs()
    assert float((difference > 1).float().mean()) < 1e-3
    assert float((difference > 0).float().mean()) < 1e-2


@pytest.mark.parametrize(("height", "width", "bins"), [(32, 32, 31), (24, 40, 11)])
@pytest.mark.parametrize("operation", policies.WIDE)
def test_every_strength_of_every_operation_equals_torchvision(operation: Operation, height: int, width: int, bins: int) -> None:
    images = mixed_pictures(height, width)
    table = policies._wide(bins, height, width, images.device)
    magnitudes = magnitudes_of(TrivialAugmentWide._AUGMENTATION_SPACE, NAMES[operation], bins, height, width)
    first = list(policies.WIDE).index(operation) * 2 * bins
    for row, magnitude in enumerate(magnitudes, first):
        assert int(table.operations[row]) == operation
        choices = table.at(torch.full((len(images),), row))
        assert_equal(operations.apply(images, choices), theirs(images, NAMES[operation], magnitude))


@pytest.mark.parametrize("operation", policies.WIDE)
def test_every_operation_on_grey_images_equals_torchvision(operation: Operation) -> None:
    images = mixed_pictures()[:, :1]
    table = policies._wide(5, 32, 32, images.device)
    magnitudes = magnitudes_of(TrivialAugmentWide._AUGMENTATION_SPACE, NAMES[operation], 5, 32, 32)
    first = list(policies.WIDE).index(operation) * 10
    for row, magnitude in enumerate(magnitudes, first):
        choices = table.at(torch.full((len(images),), row))
        assert_equal(operations.apply(images, choices), theirs(images, NAMES[operation], magnitude))


def test_inversion_equals_torchvision() -> None:
    images = mixed_pictures()
    choices = operations.possibilities([(Operation.INVERT, 0.0)] * len(images), 32, 32)
    assert torch.equal(operations.apply(images, choices), theirs(images, "Invert", 0.0))


def test_the_operations_are_those_of_torchvision_in_its_order() -> None:
    assert [NAMES[operation] for operation in policies.WIDE] == list(TrivialAugmentWide._AUGMENTATION_SPACE)


def test_trivial_augment_does_what_its_draws_say() -> None:
    images, chosen = pictures(300), draws(300, 3)
    result = policies.trivial_augment(images, Settings(), chosen)
    for image, (operation, level, sign), changed in zip(images, chosen.tolist(), result, strict=True):
        name = list(TrivialAugmentWide._AUGMENTATION_SPACE)[int(operation * 14)]
        magnitude = magnitudes_of(TrivialAugmentWide._AUGMENTATION_SPACE, name, 31, 32, 32)[2 * int(level * 31) + int(sign * 2)]
        assert_equal(changed, theirs(image, name, magnitude))


def test_the_policy_is_torchvisions() -> None:
    ours = [
        tuple((NAMES[Operation[name]], probability, level) for name, probability, level in pair) for pair in policies.CIFAR10
    ]
    expected = [
        tuple((name, probability, level or 0) for name, probability, level in pair)
        for pair in AUTO._get_policies(AutoAugmentPolicy.CIFAR10)
    ]
    assert ours == expected


@pytest.mark.parametrize(("height", "width"), [(32, 32), (24, 40)])
def test_auto_augment_does_what_its_draws_say(height: int, width: int) -> None:
    images, chosen = pictures(400, height, width), draws(400, 5)
    result = policies.auto_augment(images, chosen)
    for image, (pair, *rest), changed in zip(images, chosen.tolist(), result, strict=True):
        expected = image
        for place, (name, probability, level) in enumerate(AUTO._policies[int(pair * 25)]):
            applied, negative = rest[2 * place] < probability, rest[2 * place + 1] < 0.5
            if applied:
                magnitudes = magnitudes_of(AutoAugment._AUGMENTATION_SPACE, name, 10, height, width)
                expected = theirs(expected, name, magnitudes[2 * (level or 0) + negative])
        assert_equal(changed, expected)


def test_operations_picked_out_and_computed_everywhere_agree() -> None:
    images = pictures(500)
    table = policies._wide(31, 32, 32, images.device)
    choices = table.at((draws(500, 1)[:, 0] * len(table.operations)).long())
    assert torch.equal(operations.picked(images, choices), operations.everywhere(images, choices))


def test_a_batch_of_one_operation_leaves_the_others_idle() -> None:
    images = pictures(3)
    none = Choices(torch.zeros(3, dtype=torch.int64), torch.zeros(3), torch.zeros(3, 2, 3))
    assert torch.equal(operations.picked(images, none), images)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_tiny_images_are_taken(size: int) -> None:
    images = pictures(300, size, size)
    assert policies.trivial_augment(images, Settings(), draws(300, 3)).shape == images.shape
    assert policies.auto_augment(images, draws(300, 5)).shape == images.shape
