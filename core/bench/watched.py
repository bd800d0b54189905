"""What watching costs a training: the same step with no events, with the journal as a worker writes it, and with the console
attached, in turn."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from core.bench import alternating
from core.bench.alternating import Block
from core.bench.console import Console
from core.bench.ours import RATE_SHARE
from core.bench.results import WatchedReport
from core.bench.subject import prepare
from core.data import Progress as Told
from core.events import RunStarted, StepDone
from core.recipe import Recipe, to_table
from core.run.folder import RunFile, RunFolder
from core.run.listener import Listener
from core.run.pulse import Pulse
from core.run.pump import Pump
from core.run.resume import about
from core.run.signals import Signals
from core.sections import LARGEST_COUNT, Checkpoint, EarlyStopping, Evaluation, Schedule
from core.training.progress import Progress
from core.training.saver import Saver
from core.training.setup import Setup
from core.training.steps import Steps
from core.training.trainer import Trainer

BLOCK = 4.0
"""Seconds: several heartbeats, device samples and frames of the console."""
SETTLE = 1.0
"""Seconds of training that do not count, after the console was woken and at the very beginning."""

Attach = Callable[[Path], Sequence[str]]
"""The command that opens a console on the run in this folder."""


def measure(
    recipe: Recipe, seconds: float, threads: int | None, folder: Path | None, attach: Attach, told: Told, report: WatchedReport
) -> None:
    """Fill in ``report``. The run's folder lies on the disk of ``folder`` meanwhile (None: where temporary files do). Raises
    UserError as preparing a training does, TrainingError when the console does not run."""
    phase = f"{recipe.name}: steps alone, with the journal, with the console, in turn"
    told(f"{recipe.name}: data and network", 0, 0, "")
    setup = prepare(endless(recipe), threads).setup
    report.recipe, report.data, report.device = recipe.name, setup.data, setup.world.device
    report.batch_size = min(recipe.batch_size, len(setup.train))
    report.cores_filled = setup.device.type == "cpu" and setup.threads >= (os.cpu_count() or 1)
    told(phase, 0, 0, "")
    with TemporaryDirectory(prefix=".bench-", dir=folder) as place, _blocks(setup, Path(place), attach, report) as blocks:
        started, rounds = time.monotonic(), list[dict[str, float]]()
        for measured in alternating.rounds(blocks, seconds):
            rounds.append(measured)
            _take_in(rounds, report)
            told(phase, min(round(time.monotonic() - started), round(seconds)), round(seconds), "s")


def endless(recipe: Recipe) -> Recipe:
    """The recipe's steps with nothing between them, no end, and a rate at which nothing diverges."""
    return msgspec.structs.replace(
        recipe,
        epochs=LARGEST_COUNT,
        low_resolution=(),
        schedule=Schedule(name="constant", warmup_epochs=LARGEST_COUNT),
        early_stopping=EarlyStopping(enabled=False),
        evaluation=Evaluation(weights="last"),
        data=msgspec.structs.replace(recipe.data, validation=0.0),
        checkpoint=Checkpoint(every_seconds=0, every_epochs=LARGEST_COUNT),
    )


@contextmanager
def _blocks(setup: Setup, place: Path, attach: Attach, report: WatchedReport) -> Iterator[dict[str, Block]]:
    run = RunFolder(place / "watched")
    run.create(RunFile(name=run.name, created=time.time(), recipe=to_table(setup.recipe), threads=setup.threads))
    with run.hold(), _training(setup, run) as training, Console(attach(run.path), place / "screen") as console:
        console.freeze()

        def watched() -> float:
            console.wake()
            training.train(SETTLE)
            drawn, started = console.drawn, time.monotonic()
            rate = training.train(BLOCK)
            report.screen_bytes_per_second = (console.drawn - drawn) / (time.monotonic() - started)
            console.freeze()
            return rate

        yield {"alone": Alone(setup), "journal": lambda: training.train(BLOCK), "console": watched}


def _take_in(rounds: list[dict[str, float]], report: WatchedReport) -> None:
    report.alone, report.journal, report.console = (
        alternating.rate(rounds, name) for name in ("alone", "journal", "console")
    )  # fmt: skip
    report.journal_ratio = alternating.ratio(rounds, "journal", "alone")
    report.console_ratio = alternating.ratio(rounds, "console", "alone")


class Alone:
    """Steps and nothing else. Calling it runs a block."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._progress = setup, Progress()
        self._steps = Steps(setup, self._progress)

    def __call__(self) -> float:
        started, rate = time.perf_counter(), self._setup.recipe.optimizer.lr * RATE_SHARE
        while time.perf_counter() - started < BLOCK:
            epoch = 1 + self._progress.step // self._setup.steps_per_epoch
            if self._steps.must_compile(epoch):
                self._steps.compile(epoch)
            self._steps.take(epoch, rate)
        window = self._steps.close_window()
        return window.images / (time.perf_counter() - started) if window else 0.0


class Training:
    """What a worker has around its steps: journal, inbox, heartbeat, device samples."""

    def __init__(self, setup: Setup, trainer: Trainer, pump: Pump) -> None:
        self._trainer, self._pump = trainer, pump
        self._gpu = setup.device.index or 0 if setup.device.type == "cuda" else None
        self._events = trainer.events()

    def train(self, seconds: float) -> float:
        """Train for so long, to the end of a window; returns images per second."""
        pulse = Pulse(self._pump.put, self._beat)
        pulse.gpu = self._gpu
        self._trainer.go_on()
        images, started = 0, time.perf_counter()
        try:
            for event in self._events:
                self._pump.put(event)
                if isinstance(event, StepDone):
                    images += event.images
                    if time.perf_counter() - started >= seconds:
                        break
            return images / (time.perf_counter() - started)
        finally:
            pulse.close()

    def _beat(self) -> tuple[int, float]:
        return self._trainer.progress.step, time.monotonic() - self._trainer.steps.started


@contextmanager
def _training(setup: Setup, run: RunFolder) -> Iterator[Training]:
    """Warm: it has trained a little already."""
    pump = Pump(run.journal)
    progress = Progress()
    saver = Saver(run, setup.recipe, setup.world, setup.metadata(), pump.sync)
    try:
        pump.put(RunStarted(**about(setup, run.read(), progress)))
        training = Training(setup, Trainer(setup, progress, Listener(run, pump.put, Signals()), saver), pump)
        training.train(SETTLE)
        yield training
    finally:
        saver.close()
        pump.close()
