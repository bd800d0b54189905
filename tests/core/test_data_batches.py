"""Which images are used, in which order, and what the network is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms import functional as reference

from core.data import Images, batches

EVEN = np.random.RandomState(3).permutation(np.repeat(np.arange(10), 100))
UNEVEN = np.repeat(np.arange(4), (1, 2, 30, 500))


def counts(labels: batches.Indices, indices: batches.Indices, classes: int = 10) -> list[int]:
    return [int(count) for count in np.bincount(labels[indices], minlength=classes)]


def test_share_is_held_out_evenly() -> None:
    train, held = batches.select(EVEN, 10, 0.1, None)
    assert counts(EVEN, train) == [90] * 10 and counts(EVEN, held) == [10] * 10
    assert sorted([*train, *held]) == list(range(1000))
    assert (np.diff(train) > 0).all() and (np.diff(held) > 0).all()


def test_cifar10_holds_out_5000() -> None:
    labels = np.repeat(np.arange(10), 5000)
    train, held = batches.select(labels, 10, 0.1, None)
    assert (len(train), len(held)) == (45_000, 5_000) and counts(labels, held) == [500] * 10


def test_without_a_share_all_are_for_training() -> None:
    train, held = batches.select(EVEN, 10, 0.0, None)
    assert train.tolist() == list(range(1000)) and len(held) == 0


def test_small_classes_give_one_and_keep_one() -> None:
    train, held = batches.select(UNEVEN, 4, 0.1, None)
    assert counts(UNEVEN, train, 4) == [1, 1, 27, 450] and counts(UNEVEN, held, 4) == [0, 1, 3, 50]
    train, held = batches.select(UNEVEN, 4, 0.99, None)
    assert counts(UNEVEN, train, 4) == [1, 1, 1, 5]


def test_choice_is_a_function_of_the_labels_and_never_changes() -> None:
    _, held = batches.select(EVEN, 10, 0.01, None)
    assert held.tolist() == [175, 239, 298, 306, 496, 553, 558, 784, 859, 993]


def test_choice_is_not_by_place() -> None:
    labels = np.zeros(1000, np.int64)
    _, held = batches.select(labels, 1, 0.5, None)
    assert 400 < held.mean() < 600 and np.diff(held).max() > 4


def test_limit_is_even_and_bounds_both_parts() -> None:
    train, held = batches.select(EVEN, 10, 0.1, 50)
    assert counts(EVEN, train) == [5] * 10 and counts(EVEN, held) == [5] * 10
    train, held = batches.select(EVEN, 10, 0.1, 503)
    assert counts(EVEN, train) == [51] * 3 + [50] * 7 and counts(EVEN, held) == [10] * 10
    whole_train, whole_held = batches.select(EVEN, 10, 0.1, None)
    assert set(train) <= set(whole_train) and set(held) <= set(whole_held)
    assert not set(train) & set(whole_held)  # a limit never brings a held-out image into training


def test_limit_that_small_classes_cannot_fill_is_filled_by_the_others() -> None:
    train, _ = batches.select(UNEVEN, 4, 0.0, 100)
    assert counts(UNEVEN, train, 4) == [1, 2, 30, 67]


@pytest.mark.parametrize("limit", [1, 7, 10, 1000, 5000, None])
def test_first_per_class(limit: int | None) -> None:
    chosen = batches.first_per_class(EVEN, limit)
    assert len(chosen) == min(limit or 1000, 1000)
    for label in range(10):
        mine = chosen[EVEN[chosen] == label]
        assert mine.tolist() == np.flatnonzero(label == EVEN)[: len(mine)].tolist()
    assert max(counts(EVEN, chosen)) - min(counts(EVEN, chosen)) <= 1


def test_order_is_a_permutation_by_seed_and_epoch() -> None:
    order = batches.order(1, 1, 1000)
    assert order.dtype == torch.int64 and order.sort().values.tolist() == list(range(1000))
    assert torch.equal(order, batches.order(1, 1, 1000))
    assert not torch.equal(order, batches.order(1, 2, 1000)) and not torch.equal(order, batches.order(2, 1, 1000))
    state = torch.get_rng_state()
    batches.order(3, 3, 10)
    assert torch.equal(state, torch.get_rng_state())  # the global generator is left alone


def test_to_device_copies_the_chosen() -> None:
    pixels = np.arange(5 * 3 * 2 * 2, dtype=np.uint8).reshape(5, 3, 2, 2)
    pixels.flags.writeable = False  # as a memory map is
    chosen, labels = batches.to_device(Images(pixels, np.arange(5)), np.array([4, 1]), "cpu")
    assert chosen.dtype == torch.uint8 and labels.dtype == torch.int64
    assert labels.tolist() == [4, 1] and np.array_equal(chosen.numpy(), pixels[[4, 1]])
    chosen.zero_()
    assert pixels[4].any()


def test_normalise_equals_torchvision() -> None:
    images = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    mean, std = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
    expected = reference.normalize(images / 255, list(mean), list(std))
    result = batches.normalise(images, mean, std)
    assert result.dtype == torch.float32
    assert float((result - expected).abs().max()) <= 1e-6
    assert torch.equal(batches.normalise(images, mean, std, torch.bfloat16), result.bfloat16())


def test_normalise_under_inference_mode_does_not_spoil_training() -> None:
    images, weight = torch.ones(1, 1, 2, 2, dtype=torch.uint8), torch.ones(1, requires_grad=True)
    with torch.inference_mode():
        batches.normalise(images, (0.123,), (0.5,))
    (batches.normalise(images, (0.123,), (0.5,)) * weight).sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
