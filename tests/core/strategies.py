"""Runs made up for tests: one healthy run told in full, and random ones for properties."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec.structs import replace

from core import events as e
from core.events import Event, Metrics

CLASSES = ("cat", "dog", "frog")
STEPS = 10
"""Optimizer steps an epoch."""


def started(**changes: object) -> e.RunStarted:
    facts = e.RunStarted(
        name="demo", recipe="quickstart", data="sample", classes=CLASSES, model="resnet", parameters=4_257_260,
        train_images=1000, validation_images=90, test_images=90, batch_size=100, epochs=4, steps_per_epoch=STEPS,
        monitor="val.loss", device="cpu", precision="fp32", threads=2,
    )  # fmt: skip
    return replace(facts, **changes)


def resumed(step: int, epoch: int) -> e.RunResumed:
    fields = {name: getattr(started(), name) for name in e.SessionStart.__struct_fields__}
    return e.RunResumed(**{**fields, "step": step, "epoch": epoch, "checkpoint": f"step-{step:08d}"})


def step_done(step: int, loss: e.Number | None = None) -> e.StepDone:
    metrics: Metrics = {"train.loss": 2.0 / (step + 1) if loss is None else loss, "train.accuracy": step / 100}
    return e.StepDone(step=step, epoch=(step - 1) // STEPS + 1, images=100, seconds=0.5, metrics=metrics)


def validated(
    epoch: int, loss: e.Number, split: e.Split = "validation", checkpoint: str = "", hits: int = 20
) -> e.ValidationDone:
    prefix = "val" if split == "validation" else "test"
    return e.ValidationDone(
        split=split, epoch=epoch, step=epoch * STEPS, seconds=3.0, checkpoint=checkpoint,
        metrics={f"{prefix}.loss": loss, f"{prefix}.accuracy": hits / 30}, correct=(hits, hits, hits), images=(30, 30, 30),
        confusion=((hits, 30 - hits, 0), (0, hits, 30 - hits), (1, 29 - hits, hits)),
    )  # fmt: skip


def watched(epoch: int, best_epoch: int, best: e.Number, patience: int = 2) -> e.EarlyStoppingUpdated:
    return e.EarlyStoppingUpdated(
        metric="val.loss", value=best, best=best, best_epoch=best_epoch, best_step=best_epoch * STEPS, epoch=epoch,
        epochs_since=epoch - best_epoch, patience=patience, min_delta=0.001, improved=epoch == best_epoch,
    )  # fmt: skip


def epoch_events(epoch: int, loss: float) -> list[Event]:
    """One whole epoch, as the trainer tells it."""
    last, steps = epoch * STEPS, range((epoch - 1) * STEPS + 1, epoch * STEPS + 1)
    metrics: Metrics = {"train.loss": 2.0 / last, "train.accuracy": last / 100, "val.loss": loss, "val.accuracy": 20 / 30}
    return [
        e.EpochStarted(epoch=epoch, step=steps[0] - 1, learning_rate=1e-3),
        *map(step_done, steps),
        e.PhaseStarted(phase="validate", label="validation", total=90, unit="images"),
        e.PhaseEnded(phase="validate", seconds=3.0),
        validated(epoch, loss),
        e.EpochDone(epoch=epoch, step=last, seconds=8.0, metrics=metrics),
        watched(epoch, epoch, loss),
        e.CheckpointSaved(checkpoint=f"step-{last:08d}", step=last, epoch=epoch, best=True),
    ]


def numbered(told: Sequence[Event], first: int = 0, time: float = 1000.0) -> list[Event]:
    """As the journal writes them: seq from ``first`` on, half a second apart."""
    return [replace(event, seq=seq, time=time + 0.5 * seq) for seq, event in enumerate(told, first)]


def healthy(epochs: int = 3) -> list[Event]:
    """A run whose validation loss falls, up to the end of an epoch."""
    return numbered([started(), *(event for epoch in range(1, epochs + 1) for event in epoch_events(epoch, 1.0 / epoch))])


numbers: SearchStrategy[e.Number] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["nan", "inf", "-inf"])
)
steps: SearchStrategy[int] = st.one_of(st.integers(0, 60), st.integers(0, 5000), st.integers(-(2**40), 2**53))
metrics: SearchStrategy[Metrics] = st.dictionaries(
    st.sampled_from(["train.loss", "train.accuracy", "val.loss", "system.x", "\x1b[31m"]), numbers, max_size=4
)
texts: SearchStrategy[str] = st.text(max_size=8)
epochs: SearchStrategy[int] = st.integers(-1, 8)
phases: SearchStrategy[str] = st.sampled_from(["validate", "save", ""])
checkpoints: SearchStrategy[str] = st.sampled_from(["step-1", "step-2", "step-30", ""])

keys: SearchStrategy[str] = st.sampled_from(["epochs", "early_stopping.patience", "early_stopping.enabled", "x"])
settings: SearchStrategy[tuple[e.Setting, ...]] = st.lists(
    st.builds(e.Setting, keys, st.floats(-9, 9), st.floats(-9, 9)), max_size=2
).map(tuple)

step_dones: SearchStrategy[Event] = st.builds(
    e.StepDone, step=steps, epoch=epochs, seconds=st.floats(-1, 9), images=st.integers(0, 9), metrics=metrics
)
heartbeats: SearchStrategy[Event] = st.builds(e.Heartbeat, step_age=st.floats(0, 9))
samples: SearchStrategy[Event] = st.builds(e.DeviceSampled, cpu_percent=st.floats(0, 100))
speeds: SearchStrategy[tuple[float, ...]] = st.lists(st.floats(0, 9), max_size=3).map(tuple)
of_ranks: SearchStrategy[Event] = st.builds(
    e.RanksSampled, step=steps, images_per_second=speeds, memory_bytes=st.lists(st.integers(0, 9), max_size=3).map(tuple)
)
any_event: SearchStrategy[Event] = st.one_of(
    st.builds(e.RunStarted, epochs=epochs, steps_per_epoch=st.integers(0, 20), classes=st.just(CLASSES)),
    st.builds(e.RunResumed, epochs=epochs, steps_per_epoch=st.integers(0, 20), step=steps, epoch=epochs, note=texts),
    st.builds(e.RunRewound, step=steps, epoch=epochs, checkpoint=checkpoints, reason=texts, settings=settings),
    st.builds(e.RunPaused, reason=texts),
    st.builds(e.RunContinued, reason=texts),
    st.builds(e.RunFinished, early=st.booleans(), metrics=metrics, weights=texts),
    st.builds(e.RunStopped, reason=texts, discarded=st.booleans()),
    st.builds(e.RunFailed, kind=texts, reason=texts),
    st.builds(e.PhaseStarted, phase=phases, total=st.integers(0, 9)),
    st.builds(e.PhaseProgressed, phase=phases, done=st.integers(0, 9)),
    st.builds(e.PhaseEnded, phase=phases),
    st.builds(e.EpochStarted, epoch=epochs, step=steps),
    step_dones,
    st.builds(
        e.ValidationDone, split=st.sampled_from(["validation", "test"]), epoch=epochs, step=steps, metrics=metrics,
        correct=st.just((1, 2, 3)), images=st.just((4, 4, 0)), checkpoint=checkpoints,
    ),
    st.builds(
        e.PicturesLogged, kind=st.sampled_from(["mistakes", "batch"]), split=st.sampled_from(["train", "test"]), epoch=epochs,
        step=steps, media=texts, checkpoint=checkpoints,
    ),
    st.builds(e.EpochDone, epoch=epochs, step=steps, metrics=metrics),
    st.builds(e.EarlyStoppingUpdated, value=numbers, best=numbers, epoch=epochs),
    st.builds(e.EarlyStopped, reason=texts),
    st.builds(e.CheckpointSaved, checkpoint=checkpoints, step=steps, name=texts, best=st.booleans()),
    st.builds(e.CheckpointRemoved, checkpoint=checkpoints),
    samples,
    of_ranks,
    heartbeats,
    st.builds(e.MessageLogged, text=texts),
    st.builds(e.SettingChanged, key=keys, value=st.floats(-9, 9), also=settings, again=st.booleans()),
    st.builds(e.RemarkAdded, step=steps, text=texts),
    st.builds(e.CommandAccepted, id=texts, command=st.sampled_from(["Pause", "StopAfterEpoch", "Validate"])),
    st.builds(e.CommandRejected, id=texts, reason=texts),
    st.builds(e.Unknown, kind=texts, raw=st.just(b'{"type":"Later"}')),
)  # fmt: skip


def stamped(event: Event, seq: int, time: float) -> Event:
    return replace(event, seq=seq, time=time)


journals: SearchStrategy[list[Event]] = st.lists(
    st.builds(stamped, any_event, st.integers(-1, 40), st.sampled_from([0.0, 5.0, 7.5])), max_size=40
)
frequent: SearchStrategy[list[Event]] = st.lists(
    st.one_of(step_dones, step_dones, heartbeats, samples, of_ranks, st.builds(e.EpochStarted, epoch=epochs, step=steps)),
    max_size=30,
).map(numbered)
"""As a long journal consists of."""
