"""Using saved weights: a weights file (``model.safetensors``) is enough alone, its metadata say how to build the network.
What they say of images is in :mod:`core.predicted`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from core import data, models
from core.checkpoint import Damaged
from core.errors import UserError
from core.files import read_named
from core.recipe import Recipe, from_table
from core.sections import Data

if TYPE_CHECKING:
    import torch
    from torch import nn

LARGEST_WEIGHTS = 4 << 30
"""Bytes; a larger file is refused before it is read."""


class Evaluation(msgspec.Struct, frozen=True):
    """``accuracy`` from 0 to 1, ``loss`` mean cross-entropy; ``confusion[t][p]`` images of class t taken for p."""

    accuracy: float
    loss: float
    accuracy_by_class: dict[str, float]
    confusion: list[list[int]]
    images: int
    checkpoint: str
    balanced_accuracy: float = 0.0
    """The mean over the classes."""


class Loaded:
    """A network ready to use, on its device, with what it needs to know of its inputs and outputs."""

    def __init__(
        self,
        weights: Path,
        device: str = "auto",
        threads: int | None = None,
        model: str | None = None,
        code: Path | None = None,
    ) -> None:
        """Raises UserError when the file is missing, damaged, or not one of ours, and when its model is code of somebody's own
        that the user has not named as ``model``. That code lies in the folder ``code``, by itself the present one."""
        import torch

        from core.training.device import choose_convolution, choose_device, choose_precision, place, set_up
        from core.training.weights_file import check_weights, read_weights

        try:
            tensors, about = read_weights(_read(weights))
            self.recipe: Recipe = from_table(about.recipe, str(weights))
            self.classes, self.inputs, self.normalisation = about.classes, about.inputs, about.normalisation
            set_up(self.recipe, threads)
            self.device: torch.device = choose_device(device)
            self.precision = choose_precision(self.recipe.precision, self.device)
            place_of_code = _named(weights, self.recipe.model, model, code)
            with torch.device("meta") if models.is_ours(self.recipe.model) else nullcontext():
                # What the file claims costs no memory, as a rule, until its tensors are known to fit.
                check_weights(tensors, models.sketch(self.recipe.model, self.inputs, place_of_code))
            network = models.build(self.recipe.model, self.inputs, place_of_code)
        except (Damaged, RuntimeError, RecursionError) as error:
            raise UserError(f"{weights}: {error}; expected a run, or a model.safetensors of one") from None
        network.load_state_dict(tensors)
        self.network: nn.Module = place(network, self.device, choose_convolution(self.recipe, self.device)).eval()


def evaluate(
    weights: Path,
    settings: Data | None = None,
    device: str = "auto",
    threads: int | None = None,
    progress: data.Progress = data.silent,
    model: str | None = None,
    code: Path | None = None,
) -> Evaluation:
    """Measure a weights file on the test split of its own data, or of other data with the same classes.

    ``model`` names the code of the user's own that the weights are of (``python:package.module:function``), which lies in the
    folder ``code``, or else in the present one: no file runs code by naming it. Raises UserError when the file or the data do
    not fit.
    """
    from core.data import batches
    from core.training import setup
    from core.training.evaluation import Evaluation as Pass

    loaded = Loaded(weights, device, threads, model, code)
    given, inputs = settings or loaded.recipe.data, loaded.inputs
    settings = replace(given, size=inputs.size, color_mode="grayscale" if inputs.channels == 1 else "rgb")
    dataset = data.load(settings, progress)
    if dataset.classes != loaded.classes:
        raise UserError(f"data '{dataset.name}': its classes are not those that {weights} was trained on")
    if dataset.test.pixels.shape[1:] != (loaded.inputs.channels, loaded.inputs.size, loaded.inputs.size):
        raise UserError(f"data '{dataset.name}': the model takes images of {loaded.inputs.size} pixels; set data.size")
    chosen = batches.first_per_class(dataset.test.labels, settings.limit)
    examples = setup.examples(batches.Chosen(dataset.test, chosen), loaded.device)
    batch = settings.evaluation_batch_size
    passing = Pass(loaded.network, examples, len(loaded.classes), loaded.normalisation, batch, loaded.precision)
    for done in passing:
        progress("evaluate", done, len(examples), "images")
    result = passing.result()
    by_class = {
        name: correct / max(1, images)
        for name, correct, images in zip(loaded.classes, result.correct, result.images, strict=True)
    }
    return Evaluation(
        result.accuracy, result.loss, by_class, result.confusion, len(examples), weights.parent.name, result.balanced_accuracy
    )


def _named(weights: Path, settings: dict[str, Any], model: str | None, code: Path | None) -> Path | None:
    """The folder of the code that a file's model is, where the user has named that; raises UserError for another name."""
    name = settings.get("name")
    if model is None:
        return None
    if name != model or not models.is_code(settings):
        raise UserError(f"--model {model}: the model of {weights} is {name}; leave it out, or name that")
    return code or Path.cwd()


def _read(weights: Path) -> bytes:
    try:
        return read_named(weights, LARGEST_WEIGHTS)
    except OSError as error:
        raise UserError(f"{weights}: {error.strerror}; expected a run, or a model.safetensors of one") from None
