"""What ``run.steps`` and ``run.log`` add to a step: ``python -m tests.tools.measure_run``. Microseconds of the loop's own
thread a step, the least of some rounds in turn with a bare loop."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable

import torch

from core.run.own import Run

STEPS, ROUNDS = 200_000, 9


def bare(run: Run) -> None:
    for _ in range(STEPS):
        pass


def steps(run: Run) -> None:
    for _ in run.steps(range(STEPS)):
        pass


def floats(run: Run) -> None:
    for _ in run.steps(range(STEPS)):
        run.log(loss=0.5, learning_rate=0.1)


def tensor(run: Run) -> None:
    loss = torch.ones((), requires_grad=True) * 2
    for _ in run.steps(range(STEPS)):
        run.log(loss=loss, learning_rate=0.1)


def detached(run: Run) -> None:
    """Beside it: what letting go of the graph takes by itself."""
    loss = torch.ones((), requires_grad=True) * 2
    for _ in range(STEPS):
        loss.detach()


LOOPS: dict[str, Callable[[Run], None]] = {
    "bare": bare,
    "steps": steps,
    "steps, log of two floats": floats,
    "steps, log of a tensor and a float": tensor,
    "detach() of that tensor alone": detached,
}


def main() -> None:
    least = dict.fromkeys(LOOPS, float("inf"))
    with tempfile.TemporaryDirectory() as folder, Run("measured", runs=folder) as run:
        for _ in range(ROUNDS):
            for name, loop in LOOPS.items():
                started = time.thread_time()
                loop(run)
                least[name] = min(least[name], time.thread_time() - started)
    for name, seconds in least.items():
        sys.stdout.write(f"{(seconds - least['bare']) / STEPS * 1e6:7.3f} us  {name}\n")
    sys.stdout.write(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main()
