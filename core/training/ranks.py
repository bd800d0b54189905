"""The processes of one training, deciding together. Over a process group of their own on the CPU, so that no GPU is waited for
and the training's own collectives are left alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

LONGEST_TEXT = 4096
"""Bytes."""
LONGEST_NAME = 256
"""Bytes of a text that every rank has one of."""
PATIENCE = timedelta(hours=12)
"""How long one rank waits for the others: as long as one of them may measure or save."""


def rank() -> int | None:
    """None while torch.distributed is not in use."""
    return dist.get_rank() if _in_use() else None


def together() -> Together | None:
    """To be called on all ranks at the same place; None where there is but one, or torch.distributed is not in use."""
    return Together(PATIENCE) if _in_use() and dist.get_world_size() > 1 else None


def _in_use() -> bool:
    return bool(dist.is_available() and dist.is_initialized())


class Together:
    def __init__(self, patience: timedelta, waiting: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Within ``waiting`` is whatever waits for the other ranks."""
        self._group: Any = dist.new_group(backend="gloo", timeout=patience)
        self._waiting = waiting

    def most(self, values: list[float]) -> list[float]:
        """Of each number the greatest that any rank has."""
        shared = torch.tensor(values, dtype=torch.float64)
        with self._waiting():
            dist.all_reduce(shared, dist.ReduceOp.MAX, self._group)
        found: list[float] = shared.tolist()
        return found

    def text(self, text: str) -> str:
        """What the first rank has."""
        data = text.encode()
        shared = torch.tensor(list(data.ljust(LONGEST_TEXT, b"\0")), dtype=torch.uint8)
        with self._waiting():
            dist.broadcast(shared, src=0, group=self._group)
        return bytes(shared.tolist()).rstrip(b"\0").decode()

    def names(self, name: str) -> tuple[str, ...]:
        """What each rank has, in their order; of longer ones the beginning."""
        data = name.encode()[:LONGEST_NAME].ljust(LONGEST_NAME, b"\0")
        found = [torch.empty(LONGEST_NAME, dtype=torch.uint8) for _ in range(dist.get_world_size())]
        with self._waiting():
            dist.all_gather(found, torch.tensor(list(data), dtype=torch.uint8), self._group)
        return tuple(bytes(item.tolist()).rstrip(b"\0").decode(errors="replace") for item in found)

    def data(self, data: bytes, length: int | None = None) -> bytes:
        """What the first rank has, of whatever length, which the others may know already."""
        if length is None:
            length = int(self.most([float(len(data)) if dist.get_rank() == 0 else 0.0])[0])
        shared = torch.empty(length, dtype=torch.uint8)
        if dist.get_rank() == 0 and length:
            shared = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        if length:
            with self._waiting():
                dist.broadcast(shared, src=0, group=self._group)
        return shared.numpy().tobytes()

    def wait(self) -> None:
        with self._waiting():
            dist.barrier(self._group)

    def leave(self) -> None:
        """For good, after the last meeting. A thread of the group may hold the last tensor a little longer than the caller, and
        in a group that is left to the interpreter's end that aborts the process (github.com/pytorch/pytorch/issues/190489).
        """
        with suppress(ValueError):  # the program has destroyed all groups already
            dist.destroy_process_group(self._group)
        self._group = None
