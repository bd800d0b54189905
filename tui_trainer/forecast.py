"""What a run will be and take, before it is begun: parameters, room on the disk, and the time by what earlier runs took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from core import data, recipe
from core.errors import UserError
from core.recipe import Recipe
from core.run.describe import Description, describe
from core.run.disk import free_bytes
from core.run.folder import RunFolder
from core.run.program import recipe_of
from core.sections import SMALL, Data
from core.view import readings
from core.view.state import State
from tui_trainer.listing import ListedRun

FLOAT = 4
"""Bytes."""


class Pace(NamedTuple):
    """As a run trained: training images a second over all of it, and seconds of all else."""

    run: str
    images_per_second: float
    train_images: int
    validation_seconds: float
    test_seconds: float

    def seconds(self, epochs: int) -> float:
        training = self.train_images * epochs / self.images_per_second
        return training + self.validation_seconds * epochs + self.test_seconds


class Forecast(NamedTuple):
    network: Description
    room: int
    """Bytes that the checkpoints take at a time, at the most."""
    free: int | None
    pace: Pace | None
    seconds: float | None

    @property
    def fits(self) -> bool:
        return self.free is None or self.room <= self.free


def forecast(chosen: Recipe, runs: Path, earlier: Iterable[ListedRun], code: Path | None = None) -> Forecast:
    """Takes as long as importing torch where the network has not been described before. ``code`` is the folder with code of the
    user's own, where they have named it as the model. Raises UserError for a network that cannot be built."""
    network = describe(chosen, data.known_inputs(chosen.data), code)
    pace = next(_paces(chosen, network, earlier), None)
    return Forecast(
        network, room(chosen, network.parameters, network.frozen), _free(runs), pace, pace and pace.seconds(chosen.epochs)
    )


def room(chosen: Recipe, parameters: int, frozen: int = 0) -> int:
    """The last checkpoints, the best one, and one that is being written; of what is frozen there are the weights alone."""
    copies = 2 if chosen.averaging.decay else 1
    tensors = (parameters + frozen) * copies + parameters * chosen.optimizer.tensors_kept
    return FLOAT * tensors * (chosen.checkpoint.keep + 2)


def _free(runs: Path) -> int | None:
    """The folder itself need not be there yet."""
    return next((free_bytes(folder) for folder in (runs, *runs.absolute().parents) if folder.is_dir()), None)


def _paces(chosen: Recipe, network: Description, earlier: Iterable[ListedRun]) -> Iterator[Pace]:
    """Of runs of this network on these data in this way, the latest first."""
    for item in sorted(earlier, key=lambda item: item.active, reverse=True):
        state = item.state
        alike = state and state.parameters == network.parameters and _as_fast(chosen, state)
        if state and alike and _same_data(chosen.data, item.run) and (pace := _pace(item.run.name, state)):
            yield pace


def _as_fast(chosen: Recipe, state: State) -> bool:
    """As far as its journal tells."""
    alike = state.model == chosen.model.get("name") and state.batch_size == chosen.batch_size
    device = chosen.device in ("auto", state.device, state.device.partition(":")[0])
    return alike and device and chosen.precision in ("auto", state.precision)


def _same_data(wanted: Data, run: RunFolder) -> bool:
    try:
        found = recipe.from_table(recipe_of(run)).data
    except UserError:
        return False
    return _alike(found) == _alike(wanted)


def _alike(settings: Data) -> Data:
    """Wherever they lie; runs of before have 32 where a size is now left out."""
    return msgspec.structs.replace(settings, path=None, size=None if settings.size == SMALL else settings.size)


def _pace(name: str, state: State) -> Pace | None:
    if not state.trained_seconds or not state.step:
        return None
    seconds = {split: item.seconds for split, item in state.measurements.items()}
    speed = state.step * state.batch_size / state.trained_seconds
    return Pace(name, speed, state.train_images, max(seconds.get("validation", 0.0), 0.0), max(seconds.get("test", 0.0), 0.0))


def words(found: Forecast) -> tuple[str, str]:
    """In two lines."""
    network = f"{found.network.parameters:,} parameters, {readings.format_count(found.network.macs)} MACs an image"
    disk = f"checkpoints take up to {readings.format_bytes(found.room)}"
    if not found.fits:
        return f"{disk}, and only {readings.format_bytes(found.free or 0)} are free", network
    if found.pace is None or found.seconds is None:
        return f"{network}; {disk}", "time: no run of it here yet"
    speed = f"{found.pace.images_per_second:,.0f} images/s, as {found.pace.run} trained"
    return f"{network}; {disk}", f"time: about {readings.format_duration(found.seconds)} at {speed}"
