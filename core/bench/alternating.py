"""Things measured in turn, in short blocks and in alternating order, so that a machine that speeds up, slows down or is shared
meanwhile treats all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from core.bench.results import Spread

Block: TypeAlias = Callable[[], float]
"""Runs for a short while; returns images per second."""
FEWEST = 2
"""Rounds, whatever the time: one in each order."""


def rounds(blocks: Mapping[str, Block], seconds: float) -> Iterator[dict[str, float]]:
    """Each round runs every block once: A B, B A, A B ... until ``seconds`` are over and both orders came equally often."""
    started, done = time.monotonic(), 0
    while done < FEWEST or done % 2 or time.monotonic() - started < seconds:
        order = list(blocks)[:: -1 if done % 2 else 1]
        yield {name: blocks[name]() for name in order}
        done += 1


def ratio(measured: list[dict[str, float]], name: str, to: str) -> Spread | None:
    """Of one thing to another within the same round."""
    return Spread.of([values[name] / values[to] for values in measured])


def rate(measured: list[dict[str, float]], name: str) -> Spread | None:
    return Spread.of([values[name] for values in measured])
