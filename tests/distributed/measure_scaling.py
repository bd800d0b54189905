"""What a second process gives, and what it costs: ``python -m tests.distributed.measure_scaling [--turns N] [RECIPE]``.

The same recipe, in turn, by one process with one thread and with two, by two processes of one thread each on one host, and on
two hosts (two network namespaces, as root) without and with a link of 1 Gbit/s. Images a second are of all windows but the
first ones; the share of communication is what is left of each step beside the processes' own work."""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from core import events as e
from core.recipe import load
from core.run import journal, session
from core.run.folder import RunFolder
from tests.core.training import new_run
from tests.distributed.hosts import POSSIBLE, Host, two_hosts

WARM = 4.0
"""Seconds of windows that do not count."""
SECONDS = 20.0
SLOW_LINK = "tbf rate 1gbit burst 128kb latency 50ms"
Start = Callable[[RunFolder], list["subprocess.Popen[bytes]"]]


class Taken(NamedTuple):
    images_per_second: float
    own: tuple[float, ...]
    """Of each process, without its waiting; empty for one alone."""

    @property
    def communication(self) -> float:
        return 1 - self.images_per_second / sum(self.own) if self.own else 0.0


def one(threads: int) -> Start:
    return lambda run: [session.start(run, threads=threads)]


def two(run: RunFolder) -> list[subprocess.Popen[bytes]]:
    return [session.start(run, nproc=2, threads=2)]


def on(hosts: tuple[Host, Host], link: str = "") -> Start:
    def start(run: RunFolder) -> list[subprocess.Popen[bytes]]:
        for host in hosts:
            host.slow(link)
        return [host.torchrun(run) for host in hosts]

    return start


def taken(recipe: str, folder: Path, start: Start) -> Taken:
    run = new_run(folder, load(recipe, ["epochs=100000", "early_stopping.enabled=false", "checkpoint.every_seconds=0"]))
    processes = start(run)
    try:
        while not (run.journal.exists() and journal.find(run.journal, e.StepDone)):
            time.sleep(0.1)
            assert all(process.poll() is None for process in processes), run.log.read_text()
        time.sleep(WARM + SECONDS)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)
    return figures(run)


def figures(run: RunFolder) -> Taken:
    steps = journal.find(run.journal, e.StepDone)
    counted = [step for step in steps if step.time > steps[0].time + WARM]
    ranks = [told for told in journal.find(run.journal, e.RanksSampled) if told.time > steps[0].time + WARM]
    own = tuple(median(column) for column in zip(*(told.images_per_second for told in ranks), strict=True))
    return Taken(sum(step.images for step in counted) / sum(step.seconds for step in counted), own)


def measure(recipe: str, turns: int, ways: dict[str, Start]) -> None:
    found: dict[str, list[Taken]] = {name: [] for name in ways}
    with TemporaryDirectory() as folder:
        for turn in range(turns):
            for name, start in ways.items():
                found[name].append(taken(recipe, Path(folder) / f"{turn}-{len(name)}-{name.replace(' ', '-')}", start))
    alone = median(each.images_per_second for each in found["one process, one thread"])
    for name, each in found.items():
        speeds = sorted(item.images_per_second for item in each)
        share = f", {100 * median(item.communication for item in each):.0f} % of it communication" if each[0].own else ""
        spread = f"{speeds[0]:.0f} to {speeds[-1]:.0f}"
        print(f"{name}: {median(speeds):.0f} images/s ({spread}), {median(speeds) / alone:.2f} of one thread{share}")  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", nargs="?", default="quickstart")
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    ways: dict[str, Start] = {"one process, one thread": one(1), "one process, two threads": one(2), "two processes": two}
    with two_hosts() if POSSIBLE else nullcontext() as hosts:
        if hosts:
            ways |= {"two hosts": on(hosts), "two hosts, 1 Gbit/s": on(hosts, SLOW_LINK)}
        measure(given.recipe, given.turns, ways)


if __name__ == "__main__":
    main()
