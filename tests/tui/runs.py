"""Runs made up for the tests: journals as a worker writes them, in every state a screen has to show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from core import events as e
from core.events import Event
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter

NOW = 1_750_000_000.0
"""Unix seconds at which every test takes place."""
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
STEPS = 100
"""Steps an epoch."""
WINDOW = 10


def make(runs: Path, name: str, events: Iterable[Event]) -> RunFolder:
    """A run folder with these events in its journal, the last of them a second before NOW."""
    run = RunFolder(runs / name)
    run.create(RunFile(name=name, created=NOW - 3600, recipe={"name": "quickstart"}))
    say(run, events)
    return run


def say(run: RunFolder, events: Iterable[Event]) -> None:
    """Write them into its journal, the last of them a second before NOW."""
    told = list(events)
    with JournalWriter(run.journal) as journal:
        for place, event in enumerate(told):
            journal.append(_at(event, NOW - 1 - (len(told) - 1 - place) * 0.5))


def _at(event: Event, time: float) -> Event:
    from msgspec.structs import replace

    return replace(event, time=time)


def started(monitor: str = "val.loss", classes: tuple[str, ...] = CLASSES, epochs: int = 20) -> e.RunStarted:
    return e.RunStarted(
        name="demo", recipe="quickstart", data="cifar10", classes=classes, model="resnet", parameters=4_257_260,
        macs=478_000_000, train_images=45_000, validation_images=5_000, test_images=10_000, batch_size=100, epochs=epochs,
        steps_per_epoch=STEPS, monitor=monitor, device="cpu", precision="bf16", threads=2, process=4711,
    )  # fmt: skip


def training(epoch: int, until: int = STEPS) -> Iterator[Event]:
    """An epoch's training up to its step ``until``."""
    rate = 0.5e-3 * (1 + math.cos(math.pi * (epoch - 1) / 20))
    yield e.EpochStarted(epoch=epoch, step=(epoch - 1) * STEPS, learning_rate=rate)
    for step in range((epoch - 1) * STEPS + WINDOW, (epoch - 1) * STEPS + until + 1, WINDOW):
        wave = math.sin(step * 1.7) * 0.08 + math.sin(step * 0.31) * 0.05
        loss = 0.25 + 2.1 * math.exp(-step / 600) + wave
        metrics: e.Metrics = {
            "train.loss": loss, "train.accuracy": 0.95 - 0.33 * loss, "train.learning_rate": rate,
            "train.gradient_norm": 4 * math.exp(-step / 300) + 1 + 6 * wave, "system.images_per_second": 152 + 20 * wave,
        }  # fmt: skip
        yield e.StepDone(step=step, epoch=epoch, steps=WINDOW, images=1000, seconds=6.6, metrics=metrics)


def validation(epoch: int, split: e.Split = "validation", checkpoint: str = "") -> e.ValidationDone:
    prefix = "test" if split == "test" else "val"
    loss = 0.55 + 1.5 * math.exp(-epoch / 4) + max(0, epoch - 9) * 0.06
    correct = tuple(min(499, int(500 * (0.93 - 0.3 * loss) + 37 * math.sin(place * 2.1 + epoch * 0.4))) for place in range(10))
    metrics: e.Metrics = {f"{prefix}.loss": loss, f"{prefix}.accuracy": sum(correct) / 5000}
    return e.ValidationDone(
        split=split, epoch=epoch, step=epoch * STEPS, seconds=8.0, metrics=metrics, correct=correct,
        images=(500,) * 10, checkpoint=checkpoint, confusion=confusion(correct, 500),
    )  # fmt: skip


def confusion(correct: tuple[int, ...], images: int) -> tuple[tuple[int, ...], ...]:
    """Counts with so many right of each class; most of the others are taken for two classes of their own."""
    rows = []
    for truth, right in enumerate(correct):
        row, left = [0] * len(correct), images - right
        row[truth] = right
        for step, share in ((2, 0.6), (3, 0.3), (5, 1.0)):
            taken = int(left * share)
            row[(truth + step) % len(correct)] += taken
            left -= taken
        rows.append(tuple(row))
    return tuple(rows)


def epochs(count: int, split: e.Split = "validation", patience: int = 5) -> Iterator[Event]:
    """Whole epochs with everything that a worker says in them."""
    best, best_epoch, metric = math.inf, 0, "test.loss" if split == "test" else "val.loss"
    for epoch in range(1, count + 1):
        yield from training(epoch)
        yield e.DeviceSampled(cpu_percent=93.0, memory_bytes=851 << 20, memory_total=24 << 30)
        done = validation(epoch, split)
        yield done
        value = float(done.metrics[metric])
        improved = value < best
        if improved:
            best, best_epoch = value, epoch
        yield e.EarlyStoppingUpdated(
            metric=metric, value=value, best=best, best_epoch=best_epoch, best_step=best_epoch * STEPS, epoch=epoch,
            epochs_since=epoch - best_epoch, patience=patience, improved=improved,
        )  # fmt: skip
        yield e.CheckpointSaved(checkpoint=f"step-{epoch * STEPS:08d}", step=epoch * STEPS, epoch=epoch, best=improved)
        yield e.EpochDone(epoch=epoch, step=epoch * STEPS, seconds=66.0, metrics=done.metrics)


def greeting() -> Iterator[Event]:
    yield e.PhaseStarted(phase="prepare", label="reading cifar10", total=60_000, unit="images")
    yield e.PhaseProgressed(phase="prepare", done=60_000, total=60_000)
    yield e.PhaseEnded(phase="prepare", seconds=1.5)
    yield started()
    yield e.MessageLogged(text="cifar10: 45,000 images to train on, 5,000 held out")
    yield e.MessageLogged(level="warning", text="bf16 autocast on the CPU: results differ a little from fp32")


def empty() -> Iterator[Event]:
    return iter(())


def warming_up() -> Iterator[Event]:
    yield e.PhaseStarted(phase="prepare", label="reading cifar10", total=60_000, unit="images")
    yield e.PhaseProgressed(phase="prepare", done=24_000, total=60_000)


def one_point() -> Iterator[Event]:
    yield from greeting()
    yield from training(1, WINDOW)


def running() -> Iterator[Event]:
    yield from greeting()
    yield from epochs(7)
    yield from training(8, 60)
    yield e.Heartbeat(step=760, step_age=0.3)


def on_test() -> Iterator[Event]:
    yield started("test.loss")
    yield from epochs(7, "test")
    yield from training(8, 60)


def paused() -> Iterator[Event]:
    yield from running()
    yield e.RunPaused(step=760, epoch=8)


def held_up() -> Iterator[Event]:
    """By a full disk, and paused by a person as well."""
    yield from running()
    yield e.MessageLogged(level="error", text="disk full: nothing can be saved in runs/demo; training waits until it can")
    yield e.RunPaused(step=760, epoch=8, reason="disk full")
    yield e.RunPaused(step=760, epoch=8)


def validating() -> Iterator[Event]:
    yield from greeting()
    yield from epochs(7)
    yield from training(8)
    yield e.PhaseStarted(phase="validate", label="validation", total=5_000, unit="images")
    yield e.PhaseProgressed(phase="validate", done=2_100, total=5_000)


def resumed() -> Iterator[Event]:
    """Rewound by 60 steps, then on."""
    yield from running()
    again = started()
    fields = {name: getattr(again, name) for name in e.SessionStart.__struct_fields__ if name not in ("time", "seq")}
    yield e.RunResumed(**fields, step=700, epoch=8, checkpoint="step-00000700")
    yield from training(8, 30)


def eventful() -> Iterator[Event]:
    """Resumed, with all else that has a mark."""
    yield from greeting()
    yield from epochs(2)
    yield e.CheckpointSaved(checkpoint="step-00000240", step=240, epoch=3, name="good so far")
    yield from training(3)
    yield e.RemarkAdded(step=330, epoch=4, text="now [b]with[/b] more care")
    yield e.SettingChanged(step=430, epoch=5, key="learning_rate", value=5e-4, previous=1e-3)
    yield from training(4)
    yield from training(5, 60)
    yield e.RunRewound(step=400, epoch=5, checkpoint="step-00000400", reason="the loss was NaN")
    yield e.SettingChanged(step=450, epoch=5, key="learning_rate", value=2.5e-4, previous=1e-3)
    yield from training(5)
    yield e.CheckpointSaved(checkpoint="step-00000500", step=500, epoch=5)
    again = started()
    fields = {name: getattr(again, name) for name in e.SessionStart.__struct_fields__ if name not in ("time", "seq")}
    yield e.RunResumed(**fields, step=500, epoch=6, checkpoint="step-00000500")
    yield from training(6, 60)


def early_stopped() -> Iterator[Event]:
    yield from greeting()
    yield from epochs(14, patience=5)
    yield e.EarlyStopped(epoch=14, step=1400, reason="val.loss did not improve for 5 epochs")
    test = validation(9, "test", checkpoint="step-00000900")
    yield test
    yield e.RunFinished(
        step=1400, epoch=14, early=True, metrics=test.metrics, weights="checkpoints/step-00000900/model.safetensors"
    )


def diverged() -> Iterator[Event]:
    yield from greeting()
    yield from epochs(3)
    yield from training(4, 40)
    yield e.StepDone(
        step=350, epoch=4, steps=10, images=1000, seconds=6.6, metrics={"train.loss": "nan", "train.accuracy": 0.1}
    )
    yield e.RunFailed(
        step=350, epoch=4, kind="diverged", reason="train.loss is NaN; lower optimizer.lr",
        weights="checkpoints/step-00000300/model.safetensors",
    )  # fmt: skip


def stopped() -> Iterator[Event]:
    yield from running()
    yield e.RunStopped(step=760, epoch=8, reason="asked to stop", weights="checkpoints/step-00000760/model.safetensors")


def hostile() -> Iterator[Event]:
    """Names that would colour, move or write to a terminal if it saw them as they are."""
    yield started(classes=("[bold red]x[/]", "\x1b[31mred", "ri\u202eght", "ok"), epochs=3)
    yield from training(1)
    yield e.ValidationDone(
        epoch=1, step=100, metrics={"val.loss": 1.0, "val.accuracy": 0.5}, correct=(1, 2, 3, 4), images=(5, 5, 5, 5)
    )
    yield e.MessageLogged(text="[/nonsense] \x1b]0;title\x07 $(rm)")
