"""Several processes that train one network: what each takes of a batch, and what they add up or hold alike.

Each rank works out the same order of samples and takes its part of every global batch, so what is trained on does not depend
on how many ranks there are. What only one of them may decide (commands, signals, the clock, the disk) the first rank decides:
:mod:`core.training.agreeing`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.errors import TrainingError, UserError, out_of_memory
from core.recipe import Recipe
from core.run.processes import RENDEZVOUS, Processes
from core.training.figures import Figures
from core.training.gradients import Averaged
from core.training.ranks import Together
from core.training.working import clock_of, waiting

T = TypeVar("T")
TIMEOUT = timedelta(seconds=30)
"""How long a rank waits for the others within a step or a measurement; by gloo the death of one is noticed at once."""
NCCL_TIMEOUT = timedelta(seconds=120)
"""The same by NCCL, whose first steps choose kernels."""
PATIENCE = timedelta(minutes=10)
"""How long a rank waits between steps, where another one may read data, save, or try a full disk."""
FEWEST = 2
"""Images that a rank is given at the least: batch norm can make nothing of one."""
EXACT = 2.0**24
"""Sums of losses are taken of multiples of 1 / EXACT, which float64 adds up without rounding: in whichever order."""
LOST = ("gloo", "onnection closed", "onnection reset", "Broken pipe", "NCCL", "Timed out waiting", "Socket", "TCPStore")
"""How torch says that another process does not answer."""


class Ranks:
    """Of this process among all of them. All must call what communicates, at the same place."""

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size = rank, size
        clock = self.clock = clock_of(device)
        self.waiting = partial(waiting, clock)
        """A context for whatever waits for other ranks, so that it does not count as this one's work."""
        self.figures = Figures(rank, size, clock, device)
        self.together = Together(PATIENCE, self.waiting)
        hosts = self.together.names(socket.gethostname())
        self.hosts = hosts if len(set(hosts)) > 1 else ()
        """Of each rank, where they are on more than one machine."""
        self.divided = False
        """Whether the batch under way is, so that each rank has a part of it alone."""

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def divides(self, images: int) -> bool:
        """Whether a batch of so many images is divided. A smaller one, the last of an epoch for instance, is computed whole by
        every rank, which gives what one process would."""
        return images >= FEWEST * self.size

    def part(self, images: int) -> slice:
        """This rank's, contiguous, of so many images; it may be empty."""
        return slice(images * self.rank // self.size, images * (self.rank + 1) // self.size)

    def counted(self, loss: Tensor, correct: Tensor, images: int) -> tuple[Tensor, Tensor]:
        """What this rank adds to the sums over all ranks of the loss and of right answers, by its loss at a batch of so many
        images."""
        return exact(loss.double() * images / self.size), correct if self.divided or self.leads else correct * 0

    def summed(self, *tensors: Tensor) -> None:
        """Put the sum over all ranks into each."""
        with self.waiting():
            for tensor in tensors:
                dist.all_reduce(tensor)

    def same(self, tensors: Iterable[Tensor]) -> None:
        """Give all ranks what the first one has."""
        with self.waiting():
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def averaging(self, network: nn.Module, recipe: Recipe) -> nn.Module:
        """Computes as ``network`` does, and gives every rank the mean of all gradients."""
        # So asked, torch keeps the buckets as they are; it would fill them anew after the first step, and sums over more than
        # two ranks would round otherwise in a run that was resumed.
        return Averaged(network, self.clock, find_unused=recipe.deterministic)

    def fitting(self, work: Callable[[], T], batch: int) -> T:
        """What ``work`` returns. Raises TrainingError when this rank's memory does not suffice; what would fit is not tried,
        since the others are in the middle of a step."""
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            words = f"rank {self.rank}: out of memory with batch_size {batch} over {self.size} processes"
        raise TrainingError("memory", f"{words}; use a smaller one in a new run")

    def leave(self) -> None:
        """Once all have come to the end."""
        self.together.wait()
        self.together.leave()
        dist.destroy_process_group()


def join(processes: Processes, recipe: Recipe) -> tuple[Ranks, Recipe]:
    """Meet the other processes; returns the recipe with the device of this one. Raises UserError for what several processes
    cannot do."""
    _check(recipe)
    recipe = _on_own_device(recipe, processes)
    cuda = recipe.device.startswith("cuda")
    try:
        dist.init_process_group(
            "nccl" if cuda else "gloo",
            init_method=os.environ.get(RENDEZVOUS, "env://"),
            rank=processes.rank,
            world_size=processes.size,
            timeout=NCCL_TIMEOUT if cuda else TIMEOUT,
        )
    except ValueError as error:
        raise UserError(f"the processes cannot find each other ({error}); start them with torchrun") from None
    return Ranks(processes.rank, processes.size, torch.device(recipe.device)), recipe


def lost_peer(error: BaseException) -> bool:
    """Whether an error says that another process is gone or does not answer."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and any(word in str(error) for word in LOST))


def exact(amount: Tensor) -> Tensor:
    """Float64, rounded so that sums of such numbers do not depend on their order."""
    return (amount.double() * EXACT).round() / EXACT


def _check(recipe: Recipe) -> None:
    if recipe.compile and recipe.batch_norm == "synchronised":
        raise UserError(
            'compile = true does not work with batch_norm = "synchronised", in which processes wait for each other; '
            "leave one of the two out"
        )


def _on_own_device(recipe: Recipe, processes: Processes) -> Recipe:
    from msgspec.structs import replace

    name = recipe.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return replace(recipe, device="cpu")
    if name != "cuda":
        raise UserError(f"device: several processes train on cpu or on cuda (one GPU each), not on '{name}'")
    if processes.local_rank >= torch.cuda.device_count():
        found = f"{processes.local_size} processes, and {torch.cuda.device_count()} GPUs here"
        raise UserError(f"device: {found}; start as many processes as there are GPUs, or set device = 'cpu'")
    torch.cuda.set_device(processes.local_rank)
    return replace(recipe, device=f"cuda:{processes.local_rank}")
