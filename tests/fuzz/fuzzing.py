"""Mutated inputs for every target, from a seed, with what came of them."""

from __future__ import annotations

import random
import re
import resource
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.mutation import mutated
from tests.fuzz.targets import REFUSALS, TARGETS

SLOWEST = 5.0
"""Seconds above which an input counts as one that hangs its reader."""
MEMORY = 768 << 20
"""Bytes that all of it together may add to the process: an image of 89 megapixels, which is the largest that is decoded, with
its transparency and without."""


class Result:
    """Of one target."""

    def __init__(self, name: str) -> None:
        self.name, self.inputs, self.taken = name, 0, 0
        self.refusals: Counter[str] = Counter()
        self.slowest = 0.0
        self.finds: list[str] = []

    def row(self) -> str:
        counts = f"{self.inputs:>8,} {self.taken:>8,} {self.refusals.total():>8,} {len(self.refusals):>6}"
        return f"{self.name:<12} {counts} {1000 * self.slowest:>8.1f} {len(self.finds):>5}"


def fuzz(name: str, inputs: int, seed: int, folder: Path) -> Result:
    """Try ``inputs`` inputs on one target. A find is kept as ``target, seed, number`` and the input itself."""
    target, good = TARGETS[name][0], TARGETS[name][1]()
    chance, result = random.Random(f"{seed} {name}"), Result(name)
    while result.inputs < inputs:
        data = mutated(chance, chance.choice(good), chance.choice(good))
        started = time.perf_counter()
        try:
            result.taken += target(data, folder)
        except REFUSALS as refusal:
            result.refusals[re.sub(r"\d+", "0", str(refusal))[:100]] += 1
        except Exception as error:
            result.finds.append(f"{name}, seed {seed}, input {result.inputs}: {type(error).__name__}: {error}: {data[:400]!r}")
        seconds = time.perf_counter() - started
        if seconds > SLOWEST:
            result.finds.append(f"{name}, seed {seed}, input {result.inputs}: took {seconds:.1f} s: {data[:400]!r}")
        result.slowest = max(result.slowest, seconds)
        result.inputs += 1
    return result


def peak_memory() -> int:
    """Bytes that this process has held at the most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(results: list[Result], grown: int) -> str:
    head = f"{'target':<12} {'inputs':>8} {'taken':>8} {'refused':>8} {'kinds':>6} {'ms most':>8} {'finds':>5}"
    total = sum(result.inputs for result in results)
    return "\n".join(
        [
            head,
            *(result.row() for result in results),
            f"{total:,} inputs; memory grew by {grown >> 20} MiB, of at most {MEMORY >> 20}",
        ]
    )
