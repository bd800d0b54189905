"""torch.compile, for the forward and backward pass of training."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.errors import UserError

LONGEST = 200
"""Characters of a compiler's complaint that are worth passing on."""


def compiled(network: nn.Module, device: torch.device, deterministic: bool) -> Callable[[Tensor], Tensor]:
    """Computes as ``network`` does, on the same weights; compiled when it first meets a shape.

    Each shape gets kernels of its own: those for changing shapes would depend on which ones came before, and with them the
    bits of a run that was resumed.
    """
    graphs = device.type == "cuda" and not deterministic
    mode = "reduce-overhead" if graphs else "default"
    return torch.compile(network, dynamic=False, mode=mode)


def failure(error: Exception) -> UserError:
    """What compiling ended with, in one line."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:LONGEST]
    return UserError(
        f"compile: torch.compile does not work here ({reason}); install a C++ compiler that it can use, or set compile = false"
    )
