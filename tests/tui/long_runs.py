"""Runs of very many steps, and how long it takes to look at one: ``python -m tests.tui.long_runs [STEPS]``."""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from core import events as e
from core.events import Event
from core.run.folder import RunFile, RunFolder
from core.view import cache
from tests.tui import runs as made
from tui_trainer.app import TrainerApp
from tui_trainer.feed import Feed
from tui_trainer.screens.run import RunScreen

EPOCH = 1000
"""Steps."""
AFTER = 1.0
"""Seconds for which the screen is looked at once the whole history is there."""


def told(steps: int, alone: bool) -> Iterator[Event]:
    """A long run as its worker tells it; ``alone``: its steps with two metrics, and nothing else."""
    if not alone:
        yield made.started(epochs=steps // EPOCH + 1)
    for step in range(1, steps + 1):
        yield step_done(step, steps, alone)
        if alone:
            continue
        if step % 4 == 0:
            yield e.Heartbeat(step=step, step_age=0.01)
        if step % 8 == 0:
            yield e.DeviceSampled(cpu_percent=93.0, memory_bytes=851 << 20, memory_total=24 << 30)
        if step % EPOCH == 0:
            yield made.validation(step // EPOCH)


def step_done(step: int, steps: int, alone: bool) -> e.StepDone:
    loss = 0.3 + 2.1 * math.exp(-step / (0.2 * steps)) + 0.1 * math.sin(step * step)
    metrics: e.Metrics = {"train.loss": loss, "train.accuracy": 1 - loss / 3}
    if not alone:
        metrics |= {"train.learning_rate": 1e-3 * (1 - step / steps), "system.images_per_second": 400 + loss}
    return e.StepDone(step=step, epoch=(step - 1) // EPOCH + 1, images=100, seconds=0.25, metrics=metrics)


def make(path: Path, steps: int, alone: bool = False) -> RunFolder:
    run = RunFolder(path)
    run.create(RunFile(name=run.name, created=made.NOW, recipe={"name": "quickstart"}))
    with run.journal.open("wb") as file:  # as JournalWriter does, but for a system call for each line
        for seq, event in enumerate(told(steps, alone)):
            file.write(e.encode(replace(event, seq=seq, time=made.NOW + 0.25 * seq)) + b"\n")
    return run


def by_feed(run: RunFolder) -> str:
    """Seconds until there is something to see, and until the whole history is there."""
    started, used, first = time.perf_counter(), time.process_time(), 0.0
    feed = Feed(run)
    feed.start()
    while not (feed.looked and feed.share == 1 and feed.state.seq >= 0):
        if not first and feed.state.step:
            first = time.perf_counter() - started
        time.sleep(0.005)
    whole, busy = time.perf_counter() - started, time.process_time() - used
    feed.stop()
    return f"feed alone: first state {first:.2f} s, whole history {whole:.2f} s, {busy:.2f} s of processor"


async def by_console(run: RunFolder) -> str:
    """The same in the console, and the longest time for which it could not have answered a key."""
    gc.disable()  # as whoever starts the console does
    started, used, first, whole, held = time.perf_counter(), time.process_time(), 0.0, 0.0, 0.0
    async with TrainerApp(run.path.parent, attach=run).run_test(size=(160, 48)) as pilot:
        screen, last = pilot.app.screen, time.perf_counter()
        assert isinstance(screen, RunScreen)
        begun = last - started
        while not whole or last < started + whole + AFTER:
            await asyncio.sleep(0.005)
            held, last = max(held, time.perf_counter() - last - 0.005), time.perf_counter()
            first = first or (last - started if screen.state.step else 0.0)
            whole = whole or (last - started if screen.state.seq >= 0 and screen._feed.share == 1 else 0.0)
        busy = time.process_time() - used
    return (
        f"console: begun {begun:.2f} s, first frame {first:.2f} s, whole history {whole:.2f} s, {busy:.2f} s of processor, "
        f"held {1000 * held:.0f} ms at the most"
    )


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("steps", nargs="?", type=int, default=1_000_000)
    steps = parser.parse_args().steps
    with TemporaryDirectory() as folder:
        for name, alone in (("steps", True), ("all", False)):
            run = make(Path(folder) / name / "long", steps, alone)
            say(f"{name}: {run.journal.stat().st_size / 1e6:.0f} MB, {steps:,} steps")
            say(by_feed(run))
            (run.path / cache.NAME).unlink(missing_ok=True)
            say(asyncio.run(by_console(run)))
            say(f"looked at again: {asyncio.run(by_console(run))}")
    say(f"most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")


if __name__ == "__main__":
    main()
