"""Mixup and CutMix: what is drawn, what comes of it, and what the loss makes of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from core.data.mixing import Box, Targets, blend, draw_box, share_outside
from core.sections import Mixing

LABELS = torch.arange(8)


def plain(count: int = 8, side: int = 16) -> Tensor:
    """Each image of one value, its own number."""
    return torch.arange(count).float()[:, None, None, None].expand(count, 3, side, side).contiguous()


def blended(mixing: Mixing, step: int = 0, seed: int = 0, epoch: int = 1) -> tuple[Tensor, Targets]:
    return blend(plain(), LABELS, mixing, seed, epoch, step)


def shares(mixing: Mixing, steps: int) -> Tensor:
    images, labels = torch.zeros(2, 1, 1, 1), torch.zeros(2, dtype=torch.int64)
    return torch.tensor([blend(images, labels, mixing, 0, 1, step)[1].share for step in range(steps)])


def test_without_mixing_nothing_is_touched() -> None:
    images = plain()
    same, targets = blend(images, LABELS, Mixing(), 0, 1, 0)
    assert same is images and targets.labels is LABELS and targets.share == 1


def test_mixup_blends_images_as_it_blends_labels() -> None:
    images, targets = blended(Mixing(mixup=1.0))
    expected = targets.share * targets.labels + (1 - targets.share) * targets.others
    assert torch.allclose(images, expected[:, None, None, None].expand_as(images), atol=1e-5)
    assert torch.equal(targets.labels, LABELS)
    assert targets.others.sort().values.tolist() == LABELS.tolist() and not torch.equal(targets.others, LABELS)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_share_of_mixup_is_beta_distributed(alpha: float) -> None:
    drawn, variance = shares(Mixing(mixup=alpha), 3000), 1 / (4 * (2 * alpha + 1))
    assert abs(float(drawn.mean()) - 0.5) < 4 * (variance / 3000) ** 0.5
    assert abs(float(drawn.var()) - variance) < 0.1 * variance


def test_the_area_of_cutmix_is_the_share_of_the_labels() -> None:
    for step in range(50):
        images, targets = blended(Mixing(cutmix=1.0), step)
        own = images == targets.labels[:, None, None, None]
        other = images == targets.others[:, None, None, None]
        assert bool((own | other).all())
        differ = targets.labels != targets.others
        assert torch.allclose(own[differ].float().mean((1, 2, 3)), torch.tensor(targets.share), atol=1e-6)
        hidden = ~own[differ]
        assert bool((hidden == hidden[:1, :1]).all())  # the same box in all images and channels


def test_the_area_of_the_box_is_one_less_the_beta_share_where_nothing_is_cut_off() -> None:
    chance, again = np.random.RandomState(5), np.random.RandomState(5)
    inside = 0
    for _ in range(300):
        box, drawn = draw_box(chance, 1.0, 200, 100), again.beta(1.0, 1.0)
        again.randint(200), again.randint(100)
        assert 0 <= box.top <= box.bottom <= 200 and 0 <= box.left <= box.right <= 100
        if box.top > 0 and box.left > 0 and box.bottom < 200 and box.right < 100:
            inside += 1
            assert abs(share_outside(box, 200, 100) - drawn) < 0.05
    assert inside > 30


def test_share_outside_a_box() -> None:
    assert share_outside(Box(0, 8, 4, 8), 16, 16) == 1 - 32 / 256
    assert share_outside(Box(3, 3, 0, 16), 16, 16) == 1


def test_with_both_each_takes_half_of_the_batches() -> None:
    mixing = Mixing(mixup=1.0, cutmix=1.0)
    cut = [bool((images.frac() == 0).all()) for images, _ in (blended(mixing, step) for step in range(400))]
    assert 150 < sum(cut) < 250


def test_a_share_of_p_of_the_batches_is_mixed() -> None:
    mixed = (shares(Mixing(mixup=1.0, p=0.3), 1000) < 1).float().mean()
    assert abs(float(mixed) - 0.3) < 0.06


@pytest.mark.parametrize("mixing", [Mixing(mixup=0.5), Mixing(cutmix=1.0), Mixing(mixup=1.0, cutmix=1.0, p=0.5)])
def test_a_pure_function_of_seed_epoch_and_step(mixing: Mixing) -> None:
    torch.manual_seed(1)
    state, before = torch.get_rng_state(), plain()
    for step in range(20):
        torch.manual_seed(step)
        (images, targets), (again, same) = blended(mixing, step), blended(mixing, step)
        assert torch.equal(images, again) and torch.equal(targets.others, same.others) and targets.share == same.share
    assert torch.equal(before, plain())
    torch.manual_seed(1)
    blended(mixing)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("other", [{"step": 1}, {"seed": 1}, {"epoch": 2}])
def test_another_step_seed_or_epoch_mixes_otherwise(other: dict[str, int]) -> None:
    (_, first), (_, second) = blended(Mixing(mixup=1.0)), blended(Mixing(mixup=1.0), **other)
    assert first.share != second.share and not torch.equal(first.others, second.others)


@pytest.mark.parametrize("mixing", [Mixing(mixup=1.0), Mixing(cutmix=1.0)])
def test_images_given_stay_as_they_were(mixing: Mixing) -> None:
    images = plain()
    blend(images, LABELS, mixing, 0, 1, 0)
    assert torch.equal(images, plain())


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("share", [1.0, 0.7, 0.0])
def test_the_loss_is_that_of_blended_labels(share: float, smoothing: float) -> None:
    logits = torch.randn(8, 10, generator=torch.Generator().manual_seed(0))
    targets = Targets(LABELS, LABELS.flip(0), share)
    soft = share * functional.one_hot(LABELS, 10).float() + (1 - share) * functional.one_hot(LABELS.flip(0), 10)
    expected = functional.cross_entropy(logits, soft, label_smoothing=smoothing)
    assert torch.allclose(targets.loss(logits, smoothing), expected, atol=1e-6)


def test_right_is_the_label_of_the_larger_share() -> None:
    logits = functional.one_hot(LABELS, 10).float()
    shifted = (LABELS + 1) % 8
    assert int(Targets(LABELS, shifted, 0.6).correct(logits)) == 8
    assert int(Targets(LABELS, shifted, 0.4).correct(logits)) == 0
    assert int(Targets(shifted, LABELS, 0.4).correct(logits)) == 8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("mixing", [Mixing(mixup=1.0), Mixing(cutmix=1.0)])
def test_a_gpu_mixes_alike(mixing: Mixing) -> None:
    images, targets = blended(mixing)
    on_gpu, there = blend(plain().cuda(), LABELS.cuda(), mixing, 0, 1, 0)
    assert torch.allclose(on_gpu.cpu(), images) and torch.equal(there.others.cpu(), targets.others)
