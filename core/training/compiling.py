"""torch.compile, for the forward and backward pass of training."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from core.cache import cache_folder
from core.errors import UserError
from core.events import Event, PhaseEnded, PhaseStarted
from core.files import make_folder

if TYPE_CHECKING:
    from core.training.trainer import Trainer

LONGEST = 200
"""Characters of a compiler's complaint that are worth passing on."""


def compiled(network: nn.Module, device: torch.device, deterministic: bool) -> nn.Module:
    """Computes as ``network`` does, on the same weights; compiled when it first meets a shape.

    Each shape gets kernels of its own: those for changing shapes would depend on which ones came before, and with them the
    bits of a run that was resumed.
    """
    _keep_to_ourselves()
    graphs = device.type == "cuda" and not deterministic
    mode = "reduce-overhead" if graphs else "default"
    module: Any = torch.compile(network, dynamic=False, mode=mode)
    return cast(nn.Module, module)


def _keep_to_ourselves() -> None:
    """Have torch keep what it compiles, which it loads and runs again, in our own cache; left alone it does so in a folder of a
    name that everybody knows, where everybody may write."""
    if "TORCHINDUCTOR_CACHE_DIR" not in os.environ:
        folder = cache_folder() / "compiled"
        with suppress(OSError):  # then torch says what it cannot do without one
            make_folder(folder)
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)


def failure(error: Exception) -> UserError:
    """What compiling ended with, in one line."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:LONGEST]
    return UserError(
        f"compile: torch.compile does not work here ({reason}); install a C++ compiler that it can use, or set compile = false"
    )


def compile_step(trainer: Trainer, epoch: int) -> Iterator[Event]:
    """For the shape of the next step. It may take minutes, and a signal does not wait: hence all is saved before, in whatever
    state that leaves torch."""
    yield from trainer.close_window()
    trainer.save("compile")
    started = time.monotonic()
    yield PhaseStarted(phase="compile", label="torch.compile")
    with trainer.control.interrupting():
        trainer.steps.compile(epoch)
    trainer.steps.open_window()
    yield PhaseEnded(phase="compile", seconds=trainer.steps.window_started - started)
