"""The batched transforms against torchvision's own, image by image with the same drawn parameters."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms import RandomCrop, RandomPerspective
from torchvision.transforms import functional as reference

from core import recipe
from core.data.augment import augment, check
from core.data.augment.cutout import cutout
from core.data.augment.geometry import coefficients, crop, flip, perspective, perspective_corners, warp
from core.errors import UserError
from core.sections import AutoAugment, Crop, Cutout, Flip, Perspective, Transform, TrivialAugment
from tests.core.pictures import draws, pictures

MEAN = (0.4914, 0.4822, 0.4465)
ALL: tuple[Transform, ...] = (
    Perspective(distortion=0.3), Crop(fill="reflect"), Flip(alternate=True), TrivialAugment(), AutoAugment(), Cutout(p=0.8),
)  # fmt: skip


@pytest.mark.parametrize(("height", "width", "distortion"), [(32, 32, 0.3), (24, 40, 0.5), (33, 17, 0.8)])
def test_perspective_equals_torchvision(height: int, width: int, distortion: float) -> None:
    """Greatest difference measured on 1,000 images of white noise: 1 level, in fewer than 0.01 % of the values.

    (With a distortion near 1 corners can meet; there the map itself is singular, and rounding decides.)
    """
    images = pictures(150, height, width)
    corners = perspective_corners(draws(150, 8), distortion, height, width)
    start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    expected = torch.stack(
        [
            reference.perspective(image, start, end, fill=None)
            for image, end in zip(images, corners.long().tolist(), strict=True)
        ]
    )
    difference = (warp(images, coefficients(corners, height, width)).int() - expected.int()).abs()
    assert int(difference.max()) <= 1
    assert float((difference > 0).float().mean()) < 2e-4


def test_corners_are_distributed_as_torchvision_draws_them() -> None:
    count = 4000
    ours = perspective_corners(draws(count, 8), 0.3, 32, 24).long()
    torch.manual_seed(0)
    theirs = torch.tensor([RandomPerspective.get_params(24, 32, 0.3)[1] for _ in range(count)])
    for corner in range(4):
        for axis in range(2):
            a, b = ours[:, corner, axis], theirs[:, corner, axis]
            assert set(a.tolist()) == set(b.tolist())  # the same range, both ends included
            counts = torch.stack([torch.bincount(values, minlength=32) for values in (a, b)]).double()
            counts = counts[:, counts.sum(0) > 0]
            statistic = float(((counts[0] - counts[1]) ** 2 / counts.sum(0)).sum())
            degrees = counts.shape[1] - 1
            assert statistic < degrees + 4.5 * (2 * degrees) ** 0.5


def test_perspective_warps_a_share_of_p_and_leaves_the_others() -> None:
    images = pictures(2000)
    changed = (perspective(images, Perspective(distortion=0.3, p=0.4), draws(2000, 9)) != images).flatten(1).any(1)
    assert torch.equal(changed, draws(2000, 9)[:, 0] < 0.4)
    assert abs(float(changed.float().mean()) - 0.4) < 0.05


def test_perspective_without_distortion_changes_nothing() -> None:
    images = pictures(50)
    assert torch.equal(perspective(images, Perspective(distortion=0.0, p=1.0), draws(50, 9)), images)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_perspective_of_tiny_images_does_no_harm(size: int) -> None:
    images = pictures(20, size, size)
    assert perspective(images, Perspective(distortion=1.0, p=1.0), draws(20, 9)).shape == images.shape


@pytest.mark.parametrize(("height", "width", "padding"), [(32, 32, 4), (24, 40, 3), (8, 8, 0), (2, 2, 5)])
def test_crop_equals_torchvision(height: int, width: int, padding: int) -> None:
    """Greatest difference: none."""
    images = pictures(100, height, width)
    chosen = draws(100, 2)
    result = crop(images, Crop(padding=padding), chosen)
    for image, row, cut in zip(images, chosen, result, strict=True):
        top, left = (int(value * (2 * padding + 1)) for value in row)
        assert torch.equal(reference.crop(reference.pad(image, [padding]), top, left, height, width), cut)


def test_crop_places_are_distributed_as_torchvision_draws_them() -> None:
    places = torch.zeros(1, 1, 9, 9, dtype=torch.uint8)
    torch.manual_seed(0)
    theirs = {RandomCrop.get_params(torch.zeros(1, 40, 40), (32, 32))[:2] for _ in range(3000)}
    assert theirs == {(top, left) for top in range(9) for left in range(9)}
    single = torch.zeros(8100, 1, 9, 9, dtype=torch.uint8)
    single[:, :, 4, 4] = 1  # where this pixel lands tells the place
    counts = (places + crop(single, Crop(padding=4), draws(8100, 2)).sum(0)).flatten().double()
    assert counts.sum() == 8100
    assert float(((counts - 100) ** 2 / 100).sum()) < 80 + 4.5 * (2 * 80) ** 0.5


@pytest.mark.parametrize(("height", "width", "padding"), [(32, 32, 4), (24, 40, 2), (8, 8, 0), (5, 6, 4)])
def test_crop_with_reflection_equals_torchvision(height: int, width: int, padding: int) -> None:
    """Greatest difference: none."""
    images = pictures(100, height, width)
    chosen = draws(100, 2)
    result = crop(images, Crop(padding=padding, fill="reflect"), chosen)
    for image, row, cut in zip(images, chosen, result, strict=True):
        top, left = (int(value * (2 * padding + 1)) for value in row)
        padded = reference.pad(image, [padding], padding_mode="reflect")
        assert torch.equal(reference.crop(padded, top, left, height, width), cut)


def test_flip_equals_torchvision() -> None:
    images = pictures(1000)
    mirrored = draws(1000, 1)[:, 0] < 0.3
    result = flip(images, mirrored)
    assert torch.equal(result[mirrored], reference.hflip(images[mirrored]))
    assert torch.equal(result[~mirrored], images[~mirrored])


def mirrored_in(transform: Flip, epoch: int, images: Tensor, seed: int = 0) -> Tensor:
    result = augment(images, (transform,), seed, epoch, torch.arange(len(images)), MEAN)
    return (result == images.flip(-1)).flatten(1).all(1)


def test_a_share_of_p_is_flipped_anew_in_each_epoch() -> None:
    images = pictures(1000)
    first, second = (mirrored_in(Flip(p=0.3), epoch, images) for epoch in (1, 2))
    assert abs(float(first.float().mean()) - 0.3) < 0.05
    assert abs(float((first & second).float().mean()) - 0.09) < 0.05


def test_an_alternating_flip_follows_chance_in_the_first_epoch_and_then_takes_turns() -> None:
    images, transform = pictures(1000), Flip(p=0.3, alternate=True)
    first = mirrored_in(transform, 1, images)
    assert torch.equal(first, mirrored_in(Flip(p=0.3), 1, images))
    for epoch in range(2, 6):
        assert torch.equal(mirrored_in(transform, epoch, images), first if epoch % 2 else ~first)
    assert not torch.equal(mirrored_in(transform, 3, images, seed=1), first)


@pytest.mark.parametrize(("height", "width", "size"), [(32, 32, 16), (24, 40, 7), (4, 4, 20), (8, 8, 1)])
def test_cutout_hides_a_square_around_its_centre_and_nothing_else(height: int, width: int, size: int) -> None:
    images, chosen = pictures(200, height, width), draws(200, 3)
    result = cutout(images, Cutout(size=size, p=0.7), chosen, MEAN)
    colour = torch.tensor([round(255 * value) for value in MEAN], dtype=torch.uint8)[:, None, None]
    for image, (choice, *centre), cut in zip(images, chosen.tolist(), result, strict=True):
        expected, (y, x) = image.clone(), (int(centre[0] * height), int(centre[1] * width))
        top, left = y - size // 2, x - size // 2
        if choice < 0.7:
            expected[:, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = colour
        assert torch.equal(cut, expected)


def test_cutout_centres_are_anywhere_in_the_image() -> None:
    """One hidden pixel is the centre itself: all 64 are as likely, the corners too."""
    hidden = cutout(torch.zeros(6400, 1, 8, 8, dtype=torch.uint8), Cutout(size=1), draws(6400, 3), (1.0,))
    counts = (hidden == 255).sum(0).flatten().double()
    assert counts.sum() == 6400
    assert float(((counts - 100) ** 2 / 100).sum()) < 63 + 4.5 * (2 * 63) ** 0.5


@pytest.mark.parametrize("transforms", [recipe.load("seed").augment, ALL, *((one,) for one in ALL)])
def test_an_image_does_not_depend_on_its_batch(transforms: tuple[Transform, ...]) -> None:
    images, samples = pictures(64), torch.arange(64) + 1000
    whole = augment(images, transforms, 3, 8, samples, MEAN)
    assert whole.dtype == torch.uint8 and whole.shape == images.shape and not torch.equal(whole, images)
    for part in (slice(0, 1), slice(5, 40)):
        assert torch.equal(augment(images[part], transforms, 3, 8, samples[part], MEAN), whole[part])


def test_what_goes_in_stays_as_it_was() -> None:
    images = pictures(64)
    augment(images, ALL, 0, 1, torch.arange(64), MEAN)
    assert torch.equal(images, pictures(64))


def test_the_same_transform_twice_has_draws_of_its_own() -> None:
    images = pictures(200)
    twice = augment(images, (Flip(), Flip()), 0, 1, torch.arange(200), MEAN)
    flipped = (twice != images).flatten(1).any(1)
    assert 60 < int(flipped.sum()) < 140  # with the same draws the second would undo the first


def test_other_epochs_and_seeds_give_other_images() -> None:
    images, samples = pictures(64), torch.arange(64)
    transforms = ALL
    first = augment(images, transforms, 0, 1, samples, MEAN)
    assert not torch.equal(first, augment(images, transforms, 0, 2, samples, MEAN))
    assert not torch.equal(first, augment(images, transforms, 1, 1, samples, MEAN))
    assert torch.equal(first, augment(images, transforms, 0, 1, samples, MEAN))


def test_no_transforms_leave_the_images() -> None:
    images = pictures(3)
    assert augment(images, (), 0, 1, torch.arange(3), MEAN) is images


@pytest.mark.parametrize(
    ("transforms", "shape", "said"),
    [
        ((Flip(), Crop(padding=8, fill="reflect")), (3, 8, 9), r"augment\[1\].padding: 8 pixels .* 8x9 .* at most 7"),
        ((TrivialAugment(),), (2, 8, 8), r"augment\[0\].name: trivial_augment needs images of 1 or 3 channels, not 2"),
        ((AutoAugment(),), (4, 8, 8), r"augment\[0\].name: auto_augment needs images of 1 or 3 channels, not 4"),
    ],
)
def test_images_that_a_transform_cannot_take(transforms: tuple[Transform, ...], shape: tuple[int, int, int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        check(transforms, *shape)


def test_images_that_all_transforms_take() -> None:
    check(ALL, 3, 32, 32)
    check((Crop(padding=8),), 1, 8, 8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_images_within_one_level() -> None:
    images, samples = pictures(500), torch.arange(500)
    transforms = ALL
    on_gpu = augment(images.cuda(), transforms, 0, 1, samples.cuda(), MEAN).cpu()
    assert int((on_gpu.int() - augment(images, transforms, 0, 1, samples, MEAN).int()).abs().max()) <= 1
