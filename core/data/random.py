"""Counter-based randomness: every draw is a pure function of where it is used, so nothing has to be saved or skipped.

The mixing is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014) on 64-bit integers, which gives the same bits on every
device. torch has no unsigned 64-bit arithmetic, so constants are written in two's complement and shifts are masked.
"""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import Tensor

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def mix(*values: int) -> int:
    """A hash of integers (each taken modulo 2**64) in 0 .. 2**63 - 1, for seeding generators; the order matters."""
    state = 0
    for value in values:
        state = _finalise((state + _GOLDEN) ^ _finalise(value + _GOLDEN))
    return state >> 1


def seed_all(number: int) -> None:
    """Have torch, Python and numpy draw from here on what depends on this number alone: a network of somebody else's may draw
    from any of the three."""
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number & 0xFFFFFFFF)


def uniform(seed: int, epoch: int, samples: Tensor, stream: int, count: int) -> Tensor:
    """Float32 [B, count] in [0, 1), in steps of 2**-24, on the device of ``samples`` (int64 [B]).

    Row i depends on (seed, epoch, samples[i], stream) alone, not on the batch it is in.
    """
    rows = _finalise_tensor(samples * _signed(_GOLDEN) + mix(seed, epoch, stream))
    counter = torch.arange(1, count + 1, device=samples.device) * _signed(_GOLDEN)
    bits = _finalise_tensor(rows[:, None] + counter)
    return _shift(bits, 40).to(torch.float32) * 2.0**-24


def _finalise(value: int) -> int:
    value &= _MASK
    value = (value ^ (value >> 30)) * _FIRST & _MASK
    value = (value ^ (value >> 27)) * _SECOND & _MASK
    return value ^ (value >> 31)


def _finalise_tensor(value: Tensor) -> Tensor:
    value = (value ^ _shift(value, 30)) * _signed(_FIRST)
    value = (value ^ _shift(value, 27)) * _signed(_SECOND)
    return value ^ _shift(value, 31)


def _shift(value: Tensor, bits: int) -> Tensor:
    """Logical shift to the right: int64's own one would copy the sign."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
