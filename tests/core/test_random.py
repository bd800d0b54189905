"""The draws are uniform, independent of one another, and depend on nothing but their arguments."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from core.data.random import mix, uniform


def draw(seed: int = 1, epoch: int = 2, first: int = 0, samples: int = 50_000, stream: int = 0, count: int = 2) -> Tensor:
    return uniform(seed, epoch, torch.arange(first, first + samples), stream, count)


def correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack((a.flatten(), b.flatten())))[0, 1])


def test_known_values_never_change() -> None:
    # Written down once: another value would silently change the result of every recipe.
    assert mix(1, 2, 3) == 0x001FA9D0FF3C25DF
    rows = uniform(7, 3, torch.tensor([0, 41]), 2, 3)
    assert (rows * 2**24).long().tolist() == [[12302011, 454426, 8846159], [10708095, 6015929, 9037433]]


def test_range_and_type() -> None:
    draws = draw()
    assert draws.dtype == torch.float32
    assert draws.shape == (50_000, 2)
    assert 0 <= float(draws.min()) < 0.001 and 0.999 < float(draws.max()) < 1


def test_uniform_by_kolmogorov_smirnov() -> None:
    values = draw().flatten().sort().values.double()
    n = len(values)
    distance = (values - (torch.arange(n) + 0.5) / n).abs().max()
    assert float(distance) < 1.95 / n**0.5  # exceeded by one sequence in a thousand


@pytest.mark.parametrize("bins", [2, 7, 9, 256])
def test_uniform_by_chi_square(bins: int) -> None:
    counts = torch.bincount((draw().flatten() * bins).long(), minlength=bins).double()
    expected = counts.sum() / bins
    degrees = bins - 1
    assert abs(float(((counts - expected) ** 2 / expected).sum()) - degrees) < 4 * (2 * degrees) ** 0.5


@pytest.mark.parametrize("other", [{"seed": 2}, {"epoch": 3}, {"stream": 1}, {"first": 1}])
def test_seed_epoch_stream_and_sample_each_give_other_draws(other: dict[str, int]) -> None:
    a, b = draw(), draw(**other)
    assert abs(correlation(a, b)) < 4 / a.numel() ** 0.5
    assert int((a == b).sum()) < 5


def test_draws_of_a_sample_are_independent() -> None:
    columns = draw(count=9).unbind(1)
    assert all(abs(correlation(a, b)) < 4 / 50_000**0.5 for a, b in itertools.combinations(columns, 2))


def test_pairs_fill_the_square() -> None:
    cells = (draw(samples=40_000) * 16).long()
    counts = torch.bincount(cells[:, 0] * 16 + cells[:, 1], minlength=256).double()
    expected = 40_000 / 256
    assert abs(float(((counts - expected) ** 2 / expected).sum()) - 255) < 4 * (2 * 255) ** 0.5


def test_a_sample_does_not_depend_on_its_batch() -> None:
    whole = uniform(5, 1, torch.arange(1000), 3, 9)
    picked = torch.tensor([999, 0, 500])
    assert torch.equal(uniform(5, 1, picked, 3, 9), whole[picked])
    assert torch.equal(uniform(5, 1, torch.arange(1000), 3, 4), whole[:, :4])


def test_mix_is_a_hash_of_63_bits() -> None:
    values = {mix(*key) for key in itertools.product(range(30), repeat=3)}
    assert len(values) == 30**3
    assert 2**62 < max(values) < 2**63
    assert mix(1, 2) != mix(2, 1) != mix(1, 2, 0) != mix(1)
    assert mix(-1) == mix(2**64 - 1)


def test_large_seeds_are_taken() -> None:
    assert draw(seed=2**80, epoch=2**63, samples=3).shape == (3, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_same_bits_on_a_gpu() -> None:
    samples = torch.arange(1000)
    assert torch.equal(uniform(1, 2, samples, 3, 9), uniform(1, 2, samples.cuda(), 3, 9).cpu())
