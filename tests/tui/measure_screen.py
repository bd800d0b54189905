"""What looking at a run costs, as a person meets it: ``python -m tests.tui.measure_screen [WHAT...]``.

Every figure is of the whole command in a terminal of 160x48, from its start. ``--leet PYTHON`` measures wandb's LEET beside it
on the same scalars, where PYTHON has wandb installed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from core import events as e
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from tests.tui import long_runs
from tests.tui import runs as made
from tests.tui.terminal import Terminal, burners

COLUMNS, ROWS = 160, 48
COMMAND = (sys.executable, "-m", "tui_trainer")
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""An installed console is not compiled again each time that it is started."""
STEPS = 100_000
FIRST = 501
"""The first step that a living run tells."""
QUIET = 1.5
"""Seconds without a change after which a picture counts as done."""
TIMES = 5
WATCHED = 20.0
"""Seconds of which a share of the processor is taken."""

LEET_RUN = """
import math, sys, time, wandb
with wandb.init(project="p", dir=sys.argv[1], mode="offline", settings=wandb.Settings(console="off", quiet=True)) as run:
    for step in range(1, int(sys.argv[2]) + 1):
        loss = 0.3 + 2.1 * math.exp(-step / 20000) + 0.1 * math.sin(step * step)
        run.log({"train/loss": loss, "train/accuracy": 1 - loss / 3, "train/rate": 1e-3, "speed": 400 + loss})
        time.sleep(float(sys.argv[3]))
"""
"""Folder, steps, and seconds between two."""


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def several(values: Sequence[float], unit: str = "s", factor: float = 1.0) -> str:
    scaled = [value * factor for value in values]
    return f"median {median(scaled):.3g} {unit}, {min(scaled):.3g} to {max(scaled):.3g} (n = {len(scaled)})"


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def attached(run: RunFolder) -> Terminal:
    return Terminal([*COMMAND, "attach", str(run.path)], COLUMNS, ROWS, COMPILED)


def forget(run: RunFolder) -> None:
    (run.path / "view.cache").unlink(missing_ok=True)


def opening(run: RunFolder, again: bool) -> tuple[float, float]:
    """Seconds until the first frame, and until the picture does not change any more; ``again``: it was looked at before."""
    if not again:
        forget(run)
    with attached(run) as terminal:
        first = terminal.seen(b"train 0.") - terminal.began
        return first, terminal.quiet(QUIET) - terminal.began


def long(folder: Path) -> None:
    for steps in (STEPS, 10 * STEPS):
        attach(steps, folder)


def attach(steps: int, folder: Path) -> None:
    run = long_runs.make(folder / f"long-{steps}", steps)
    say(f"{steps:,} steps, {run.journal.stat().st_size / 1e6:.0f} MB")
    for again in (False, True):
        firsts, wholes = zip(*(opening(run, again) for _ in range(TIMES)), strict=True)
        say(f"  {'looked at again' if again else 'for the first time'}: first frame {several(firsts)}")
        say(f"    the whole history {several(wholes)}")
    with attached(run) as terminal:
        terminal.seen(b"train 0.")
        terminal.quiet(QUIET)
        say(f"  resident memory {terminal.resident():.0f} MB")
        say(f"  idle {100 * terminal.busy(WATCHED):.2f} % of a core")


@contextmanager
def training(run: RunFolder, rate: float, wrote: Callable[[int, float], None] = lambda step, at: None) -> Iterator[None]:
    """A run that says so many windows of steps a second, and what a worker says beside."""
    over, first = threading.Event(), FIRST

    def tell() -> None:
        step, next_at = first, time.monotonic()
        with JournalWriter(run.journal) as journal:
            while not over.is_set():
                journal.append(long_runs.step_done(step, 1_000_000, alone=False))
                wrote(step, time.monotonic())
                if step % max(1, round(rate)) == 0:
                    journal.append(e.Heartbeat(step=step, step_age=0.01))
                    journal.append(e.DeviceSampled(cpu_percent=93.0, memory_bytes=851 << 20, memory_total=24 << 30))
                step, next_at = step + 1, next_at + 1 / rate
                over.wait(max(0.0, next_at - time.monotonic()))

    with run.hold():
        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def begun(folder: Path, name: str) -> RunFolder:
    """A run some minutes after its start."""
    steps = (long_runs.step_done(step, 1_000_000, alone=False) for step in range(1, FIRST))
    return made.make(folder, name, [made.started(epochs=1000), *steps])


def live(folder: Path) -> None:
    for rate in (20.0, 1.0):
        for page, name in ((b"1", "overview"), (b"2", "plots")):
            run = begun(folder, f"live-{rate:.0f}-{name}")
            with training(run, rate), attached(run) as terminal:
                terminal.seen(b"images/s")
                terminal.press(page)
                time.sleep(3)
                say(f"live at {rate:.0f} steps/s, page {name}: {100 * terminal.busy(WATCHED):.1f} % of a core")


def latency(folder: Path) -> None:
    """From an event in the journal to the screen."""
    run, told = begun(folder, "latency"), dict[int, float]()
    with training(run, 1.7, told.__setitem__), attached(run) as terminal:
        terminal.seen(b"images/s")
        time.sleep(30)
    found = [shown - told[step] for step in sorted(told) if (shown := _shown(terminal, step, told[step]))]
    say(f"event to screen: {several(found, 'ms', 1000)}, p95 {1000 * p95(found):.0f} ms")


def _shown(terminal: Terminal, step: int, since: float) -> float | None:
    """When the step's number was written."""
    words = f" {step:,} ".encode()
    return next((at for at, data in terminal.written if since <= at < since + 2 and words in data), None)


def keys(folder: Path) -> None:
    """From a key to the screen, with nothing else to do and while two processes fill both cores."""
    run = begun(folder, "keys")
    with training(run, 4.0), attached(run) as terminal:
        terminal.seen(b"images/s")
        time.sleep(2)
        for load in (0, 2):
            burning = burners(load)
            found = [_answered(terminal) for _ in range(30)]
            for process in burning:
                process.kill()
                process.wait()
            say(f"key to screen, {load} cores filled: {several(found, 'ms', 1000)}, p95 {1000 * p95(found):.0f} ms")


def _answered(terminal: Terminal) -> float:
    """The focus goes on to the next panel, whose border changes."""
    time.sleep(0.25)
    pressed = terminal.press(b"\t")
    return terminal.drew(100, pressed) - pressed


def leet(python: str, folder: Path) -> None:
    """wandb's own writer tells the same scalars; figures as above where LEET has the like."""
    told = folder / "told"
    told.mkdir()
    subprocess.run([python, "-c", LEET_RUN, str(told), str(STEPS), "0"], check=True, stdout=subprocess.DEVNULL)
    firsts, wholes = list[float](), list[float]()
    for _ in range(TIMES):
        with leet_on(python, told) as terminal:
            firsts.append(terminal.seen(b"train/loss") - terminal.began)
            wholes.append(terminal.seen(b"Finished") - terminal.began)
    say(f"LEET, {STEPS:,} steps: first frame {several(firsts)}; the whole history {several(wholes)}")
    with leet_on(python, told) as terminal:
        terminal.seen(b"Finished")
        say(f"  resident memory {terminal.resident():.0f} MB, idle {100 * terminal.busy(WATCHED):.2f} % of a core")
    leet_live(python, folder / "live")


def leet_live(python: str, folder: Path) -> None:
    folder.mkdir()
    writer = subprocess.Popen([python, "-c", LEET_RUN, str(folder), "4000", "0.05"], stdout=subprocess.DEVNULL)
    time.sleep(FIRST / 20)
    with leet_on(python, folder) as terminal:
        time.sleep(5)
        say(f"LEET, live at 20 steps/s: {100 * terminal.busy(WATCHED):.1f} % of a core")
    writer.kill()
    writer.wait()


def leet_on(python: str, folder: Path) -> Terminal:
    run = next(folder.glob("wandb/offline-run-*"))
    return Terminal([str(Path(python).with_name("wandb")), "beta", "leet", str(run)], COLUMNS, ROWS)


PARTS: dict[str, Callable[[Path], None]] = {"long": long, "live": live, "latency": latency, "keys": keys}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--leet", metavar="PYTHON")
    given = parser.parse_args()
    say(f"load before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for what in given.what:
            PARTS[what](folder)
        if given.leet:
            leet(given.leet, folder)
    say(f"load after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
