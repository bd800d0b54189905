"""Mutated inputs for every target, from a seed, with what came of them."""

from __future__ import annotations

import random
import re
import resource
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import REFUSALS, TARGETS

SLOWEST = 5.0
"""Seconds of computing after which an input counts as one that hangs its reader."""
MEMORY = 768 << 20
"""Bytes that one target may add to the process: an image of 89 megapixels, which is the largest that is decoded, with its
transparency and without."""


class Late(BaseException):
    """An input took longer than ``SLOWEST``; not an Exception, which its reader might catch."""


class Result:
    """Of one target."""

    def __init__(self, name: str) -> None:
        self.name, self.inputs, self.taken = name, 0, 0
        self.refusals: Counter[str] = Counter()
        self.slowest = 0.0
        self.memory = 0
        """Bytes that it added to the most that the process has held."""
        self.finds: list[str] = []

    def row(self) -> str:
        counts = f"{self.inputs:>8,} {self.taken:>8,} {self.refusals.total():>8,} {len(self.refusals):>6,}"
        return f"{self.name:<12} {counts} {1000 * self.slowest:>8.1f} {self.memory >> 20:>6} {len(self.finds):>5}"


def fuzz(name: str, inputs: int, seed: int, folder: Path) -> Result:
    """Try ``inputs`` inputs on one target. A find is kept as ``target, seed, number`` and the input itself."""
    target, good = TARGETS[name][0], TARGETS[name][1]()
    chance, result, before = random.Random(f"{seed} {name}"), Result(name), peak_memory()
    while result.inputs < inputs:
        data, started = mutated(chance, chance.choice(good), chance.choice(good)), time.process_time()
        try:
            with limited():
                result.taken += target(data, folder)
        except REFUSALS as refusal:
            result.refusals[re.sub(r"\d+", "0", str(refusal))[:100]] += 1
        except (Exception, Late) as error:
            result.finds.append(f"{name}, seed {seed}, input {result.inputs}: {type(error).__name__}: {error}: {data[:400]!r}")
        result.slowest = max(result.slowest, time.process_time() - started)
        result.inputs += 1
    result.memory = peak_memory() - before
    if result.memory > MEMORY:
        result.finds.append(f"{name}, seed {seed}: {result.memory >> 20} MiB, where at most {MEMORY >> 20} were expected")
    return result


@contextmanager
def limited() -> Iterator[None]:
    """Raises :class:`Late` in whatever computes for too long."""

    def late(*_: object) -> None:
        raise Late(f"more than {SLOWEST} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SLOWEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def peak_memory() -> int:
    """Bytes that this process has held at the most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(results: list[Result]) -> str:
    head = f"{'target':<12} {'inputs':>8} {'taken':>8} {'refused':>8} {'kinds':>6} {'ms most':>8} {'MiB':>6} {'finds':>5}"
    total = sum(result.inputs for result in results)
    return "\n".join([head, *(result.row() for result in results), f"{total:,} inputs"])
