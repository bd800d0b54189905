"""What a recipe's step is made of, told by hooks on the real step, and what goes on beside steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import torch

from core.bench.ours import OurStep, synchronise
from core.bench.results import Parts, Saving
from core.commands import Command
from core.events import CheckpointSaved
from core.run.folder import RunFolder
from core.training.evaluation import Evaluation
from core.training.progress import Progress
from core.training.saver import Saver
from core.training.setup import Setup
from core.training.trainer import Trainer

FEWEST_STEPS = 2
SAVES = 3


class Stopwatch:
    """Counts the time for whichever part is on."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = {}
        self._device = device
        self._part, self._since = "", 0.0

    def turn(self, part: str) -> None:
        """From here on it is ``part``'s."""
        synchronise(self._device)
        now = time.perf_counter()
        self.seconds[self._part] = self.seconds.get(self._part, 0.0) + now - self._since
        self._part, self._since = part, now

    def to(self, part: str) -> Callable[..., None]:
        """A hook that turns to a part."""
        return lambda *_: self.turn(part)


def step_parts(setup: Setup, seconds: float) -> Parts:
    """Means over some steps, for about so long. The network is not compiled here, whatever the recipe says."""
    step = OurStep(replace(setup, recipe=msgspec.structs.replace(setup.recipe, compile=False)))
    step.take()
    step.finish()
    stopwatch, started, steps = Stopwatch(setup.device), time.monotonic(), 0
    with _hooked(setup, stopwatch):
        while steps < FEWEST_STEPS or time.monotonic() - started < seconds:
            stopwatch.turn("augmentation")
            step.take()
            stopwatch.turn("")
            steps += 1
    del stopwatch.seconds[""]
    each = {part: 1000 * stopwatch.seconds.get(part, 0.0) / steps for part in (*stopwatch.seconds, "other")}
    return Parts(steps=steps, step_ms=sum(each.values()), **{f"{part}_ms": value for part, value in each.items()})


@contextmanager
def _hooked(setup: Setup, stopwatch: Stopwatch) -> Iterator[None]:
    network, optimizer = setup.network, setup.optimizer
    hooks = [
        network.register_forward_pre_hook(stopwatch.to("forward"), prepend=True),
        network.register_forward_hook(stopwatch.to("backward")),
        optimizer.register_step_pre_hook(stopwatch.to("optimizer")),
        optimizer.register_step_post_hook(stopwatch.to("other")),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def evaluation_rate(setup: Setup, seconds: float) -> float:
    """Images per second of a pass over test without test-time augmentation, cut off after so long."""
    next(_passing(setup))  # kernels are chosen at the first batch
    done, started = 0, time.perf_counter()
    for images in _passing(setup):
        done = images
        if time.perf_counter() - started >= seconds:
            break
    synchronise(setup.device)
    return done / (time.perf_counter() - started)


def _passing(setup: Setup) -> Iterator[int]:
    batch = setup.recipe.data.evaluation_batch_size
    return iter(Evaluation(setup.measured, setup.test, len(setup.classes), setup.normalisation, batch, setup.precision))


class Nobody:
    """A :class:`core.training.control.Control` that never says anything."""

    signal = 0

    def take(self) -> list[Command]:
        return []

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def interrupting(self) -> AbstractContextManager[None]:
        return nullcontext()


def saving(setup: Setup, folder: Path | None) -> Saving:
    """A few checkpoints as a run writes them, on the disk of ``folder`` (None: the system's folder for temporary files)."""
    with TemporaryDirectory(prefix=".bench-", dir=folder) as place:
        run = RunFolder(Path(place))
        run.checkpoints.mkdir(mode=0o700)
        saver = Saver(run, setup.recipe, setup.world, setup.metadata(), lambda: None)
        try:
            trainer = Trainer(setup, Progress(), Nobody(), saver)
            for number in range(SAVES):
                synchronise(setup.device)
                trainer.save("bench", name=f"bench-{number}")
                saver.finish()
            saved = [event for event in saver.events() if isinstance(event, CheckpointSaved)]
        finally:
            saver.close()
    delay, seconds = (statistics.median(values) for values in zip(*((item.delay, item.seconds) for item in saved), strict=True))
    return Saving(copy_ms=1000 * delay, write_ms=1000 * seconds, bytes=saved[-1].bytes)
