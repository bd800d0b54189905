"""A small real training that a test can steer at chosen steps and abandon as a kill would."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec

from core import checkpoint, data
from core.commands import Command
from core.events import Event
from core.fallback import newest_good
from core.recipe import Recipe, from_table, to_table
from core.run import line
from core.run.folder import RunFile, RunFolder
from core.run.pump import Pump
from core.run.resume import changes_not_in
from core.training import setup as setups
from core.training import snapshot
from core.training.progress import Amendment, Progress
from core.training.saver import Saver
from core.training.trainer import Trainer

TINY: dict[str, object] = {
    "name": "tiny",
    "epochs": 3,
    "batch_size": 16,
    "data": {"source": "sample", "limit": 70, "validation": 0.2, "evaluation_batch_size": 20},
    "model": {"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 16, "dropout": 0.2},
    "augment": [{"name": "perspective", "distortion": 0.3}, {"name": "crop"}, {"name": "flip"}],
    "optimizer": {"name": "adam", "lr": 0.01},
    "schedule": {"name": "cosine", "per": "step"},
    "checkpoint": {"keep": 100},
}
STEPS = 5
"""In an epoch of TINY; the last batch is a partial one."""


class Killed(Exception):
    """Stands for SIGKILL: nothing is saved on the way out."""


class Script:
    """A Control that says at each step what the test wants said there, each thing once."""

    def __init__(self) -> None:
        self.signal = 0
        self.at: dict[int, list[Command]] = {}
        self.trainer: Trainer | None = None
        self.watch: Callable[[Trainer], None] = lambda trainer: None
        self.waited: list[Command] = []
        self.kill_at: int | None = None

    def take(self) -> list[Command]:
        assert self.trainer is not None
        self.watch(self.trainer)
        if self.trainer.progress.step == self.kill_at:
            raise Killed
        if self.trainer.paused and self.waited:
            return [self.waited.pop(0)]
        return self.at.pop(self.trainer.progress.step, [])

    def wait(self, seconds: float) -> None:
        assert self.waited or self.signal, "paused, and nobody will ever continue"

    def interrupting(self) -> AbstractContextManager[None]:
        return nullcontext()


def tiny(**changes: object) -> Recipe:
    return from_table({**TINY, **changes})


def new_run(path: Path, recipe: Recipe) -> RunFolder:
    run = RunFolder(path)
    run.create(RunFile(id=path.name, name=path.name, recipe=to_table(recipe)))
    return run


def train(run: RunFolder, script: Script | None = None) -> list[Event]:
    """One session with a run, from its newest checkpoint on; what it said."""
    script = script or Script()
    recipe = from_table(run.read().recipe)
    setup = setups.prepare(recipe, 1, data.silent)
    progress, again = Progress(), tuple[Amendment, ...]()
    list(line.present(run).clear(run.checkpoints))
    if checkpoint.listing(run.checkpoints):
        folder, _ = newest_good(run.checkpoints)
        files = checkpoint.read(folder)[1]
        progress = snapshot.restore(files, setup.network, setup.optimizer, setup.average, setup.scaler).progress
        again = changes_not_in(progress, run)
    pump = Pump(run.journal)
    saver = Saver(run, recipe, setup.world, setup.metadata(), pump.sync, lambda: pump.trouble)
    script.trainer = Trainer(setup, progress, script, saver, again)
    said = []
    try:
        for event in script.trainer.events():
            pump.put(event)
            said.append(event)
    except Killed:
        pass
    finally:
        saver.close()
        pump.close()
    return said


def fingerprint(run: RunFolder) -> str:
    """Of all tensors, weights (live and averaged) and optimizer state, in the newest checkpoint."""
    _, files = checkpoint.read(checkpoint.listing(run.checkpoints)[-1])
    names = sorted(name for name in files if name.endswith(".safetensors"))
    return hashlib.sha256(b"".join(files[name] for name in names)).hexdigest()


def last_progress(run: RunFolder) -> Progress:
    _, files = checkpoint.read(checkpoint.listing(run.checkpoints)[-1])
    return msgspec.structs.replace(snapshot.read_state(files).progress, epoch_seconds=0.0)
