"""How a training ends: with which weights, what they are measured on, and how a session is left before."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from torch import nn

from core import checkpoint
from core.checkpoint import Best, Damaged
from core.errors import TrainingError
from core.events import Event, MessageLogged, Metrics, RunFinished, RunStopped, Split, from_number
from core.recipe import Recipe
from core.training import room
from core.training.control import Leave
from core.training.measuring import metrics_of
from core.training.saver import newest_weights, weights_path
from core.training.setup import Setup
from core.training.weights_file import read_weights

if TYPE_CHECKING:
    from core.training.trainer import Trainer


def final_splits(setup: Setup) -> tuple[Split, ...]:
    """The held-out split is measured again only where that says more than its epoch did."""
    held_out = setup.recipe.evaluation.tta != "none" and len(setup.validation) > 0
    return ("validation", "test") if held_out else ("test",)


def load_final(folder: Path, run: str, recipe: Recipe, network: nn.Module) -> Generator[Event, None, Best]:
    """Put the best or the last weights among a folder of checkpoints into a network, as the recipe says; where they are
    damaged or not of the run with that id, the newest that are not. Raises TrainingError when none are whole."""
    best = checkpoint.pointed(folder, "best") if recipe.evaluation.weights == "best" else None
    newest_first = [Best(path.name) for path in reversed(checkpoint.listing(folder))]
    for candidate in [best, *newest_first] if best else newest_first:
        try:
            manifest, files = checkpoint.read(folder / candidate.checkpoint, only=checkpoint.WEIGHTS)
            checkpoint.check_run(manifest, run)
            network.load_state_dict(read_weights(files[checkpoint.WEIGHTS])[0])
            return candidate
        except Damaged as error:
            text = f"checkpoint {candidate.checkpoint} is damaged ({error}) and was set aside"
            checkpoint.set_aside(folder / candidate.checkpoint)
            yield MessageLogged(level="warning", text=text)
    raise TrainingError("checkpoint", f"{folder}: none of the checkpoints is whole")


def finish(trainer: Trainer) -> Generator[Event, None, bool]:
    """Measure the held-out split and test with the weights that the recipe ends with, and say where they are.

    False when the run was given more epochs meanwhile.
    """
    trainer.saver.finish()
    yield from trainer.between_steps()  # until all is on disk
    network = trainer.setup.another_network()
    final = yield from _final(trainer, network)
    metrics: Metrics = {} if final.value is None else {f"best.{final.metric}": from_number(final.value)}
    for split in final_splits(trainer.setup):
        result = yield from trainer.measure(split, network, final.checkpoint, trainer.recipe.evaluation.tta)
        if not trainer.over:
            return False
        metrics.update(metrics_of(split, result, trainer.recipe.monitor))
    yield RunFinished(
        step=trainer.progress.step, epoch=trainer.progress.validated, early=trainer.progress.watch.stopped,
        metrics=metrics, weights=weights_path(final.checkpoint),
    )  # fmt: skip
    return True


def _final(trainer: Trainer, network: nn.Module) -> Generator[Event, None, Best]:
    """As :func:`load_final`; of several ranks the first one reads, and gives the others what it has read."""
    ranks, final = trainer.setup.ranks, Best("")
    if not ranks or ranks.leads:
        final = yield from load_final(trainer.saver.folder, trainer.saver.identity, trainer.recipe, network)
    if ranks:
        final = msgspec.msgpack.decode(ranks.together.data(msgspec.msgpack.encode(final)), type=Best)
        ranks.same(network.state_dict().values())
    return final


def leave(trainer: Trainer, asked: Leave) -> Iterator[Event]:
    """End the session as asked: saved, unless it is discarded."""
    saver = trainer.saver
    if not asked.discarded:
        yield from trainer.close_window()
        trainer.save("stopped")
    saver.finish()
    if trainer.hindrance and not asked.discarded:
        saver.retry()
    yield from saver.drain() if asked.discarded else saver.events()
    yield RunStopped(
        step=trainer.progress.step, epoch=trainer.epoch, signal=asked.signal, weights=newest_weights(saver.folder),
        reason=asked.reason if asked.discarded else asked.reason + room.unsaved(trainer), discarded=asked.discarded,
    )  # fmt: skip
