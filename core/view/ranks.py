"""How several processes that train together compare, and which of them the others wait for."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median
from typing import NamedTuple

from core.view.state import State
from core.view.words import format_bytes

CLEARLY = 0.1
"""How much slower than the others one has to be, as a share, for them to wait for it in earnest."""
NAMED = 8
"""So many are told of one by one in a line."""


class Rank(NamedTuple):
    rank: int
    host: str
    """Empty where all are on one machine."""
    images_per_second: float
    """Of its own work, without the time in which it waits; a mean over the latest readings."""
    memory_bytes: int
    gpu_memory_bytes: int | None


class Straggler(NamedTuple):
    rank: int
    host: str
    behind: float
    """How much slower it is than the median of the others, as a share."""


def ranks(state: State) -> tuple[Rank, ...]:
    """Empty where one process trains, or none has said anything yet."""
    if not state.ranks:
        return ()
    latest, hosts = state.ranks[-1], _short(state.hosts)
    return tuple(
        Rank(
            rank=rank,
            host=hosts[rank] if rank < len(hosts) else "",
            images_per_second=fmean(item.images_per_second[rank] for item in state.ranks if rank < len(item.images_per_second)),
            memory_bytes=int(_of(latest.memory_bytes, rank) or 0),
            gpu_memory_bytes=None if (held := _of(latest.gpu_memory_bytes, rank)) is None else int(held),
        )
        for rank in range(len(latest.images_per_second))
    )


def straggler(found: Sequence[Rank]) -> Straggler | None:
    """The slowest, where it is clearly slower than the others are."""
    if len(found) < 2:
        return None
    slowest = min(found, key=lambda item: item.images_per_second)
    usual = median(item.images_per_second for item in found if item is not slowest)
    behind = 1 - slowest.images_per_second / usual if usual > 0 else 0.0
    return Straggler(slowest.rank, slowest.host, behind) if behind >= CLEARLY else None


def straggler_words(state: State) -> str:
    """``all wait for rank 1: 23 % slower, on node-2``; empty where none is clearly slower."""
    if (found := straggler(ranks(state))) is None:
        return ""
    where = f", on {found.host}" if found.host else ""
    return f"all {'waited' if state.ended else 'wait'} for rank {found.rank}: {100 * found.behind:.0f} % slower{where}"


def speed(rate: float) -> str:
    """In as many digits as say something."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def ranks_words(state: State) -> str:
    """All of them in one line: of a few each, of many the slowest and the fastest."""
    found, waiting = ranks(state), straggler_words(state)
    if not found:
        return ""
    if len(found) <= NAMED:
        told = ", ".join(f"rank {item.rank} {speed(item.images_per_second)} images/s {_memory(item)}" for item in found)
    else:
        ordered = sorted(item.images_per_second for item in found)
        most = max(found, key=lambda item: item.memory_bytes)
        told = f"{len(found)} ranks of {speed(ordered[0])} to {speed(ordered[-1])} images/s, up to {_memory(most)} each"
    return f"{told}; {waiting}" if waiting else told


def _memory(item: Rank) -> str:
    held = "" if item.gpu_memory_bytes is None else f" + {format_bytes(item.gpu_memory_bytes)} gpu"
    return f"{format_bytes(item.memory_bytes)}{held}"


def _short(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Without their domains, where that leaves them apart."""
    names = tuple(host.partition(".")[0] for host in hosts)
    return names if len(set(names)) == len(set(hosts)) else hosts


def _of(values: tuple[float, ...], rank: int) -> float | None:
    return values[rank] if rank < len(values) else None
