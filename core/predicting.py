"""Using saved weights: a weights file (``model.safetensors``) is enough alone, its metadata say how to build the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
    from torch import Tensor, nn

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


class Prediction(msgspec.Struct, frozen=True):
    """``top`` maps the likeliest classes to their probabilities, likeliest first."""

    path: str
    class_: str = msgspec.field(name="class")
    probability: float
    top: dict[str, float]


class Loaded:
    """A network ready to use, on its device, with what it needs to know of its inputs and outputs."""

    def __init__(self, weights: Path, device: str = "auto", threads: int | None = None) -> None:
        """Raises UserError when the file is missing, damaged, or not one of ours."""
        import torch

        from core.training.device import choose_convolution, choose_device, choose_precision, place, set_up
        from core.training.snapshot import check_weights, read_weights

        try:
            tensors, about = read_weights(_read(weights))
            self.recipe: Recipe = from_table(about.recipe, str(weights))
            self.classes, self.inputs, self.normalisation = about.classes, about.inputs, about.normalisation
            set_up(self.recipe, threads)
            self.device: torch.device = choose_device(device)
            self.precision = choose_precision(self.recipe.precision, self.device)
            with torch.device("meta"):  # what the file claims costs no memory until its tensors are known to fit
                check_weights(tensors, models.build(self.recipe.model, self.inputs))
            network = models.build(self.recipe.model, self.inputs)
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
) -> Evaluation:
    """Measure a weights file on the test split of its own data, or of other data with the same classes.

    Raises UserError when the file or the data do not fit.
    """
    from core.data import batches
    from core.training.evaluation import Evaluation as Pass
    from core.training.evaluation import Examples

    loaded = Loaded(weights, device, threads)
    given, inputs = settings or loaded.recipe.data, loaded.inputs
    settings = replace(given, size=inputs.size, color_mode="grayscale" if inputs.channels == 1 else "rgb")
    dataset = data.load(settings, progress)
    if dataset.classes != loaded.classes:
        raise UserError(f"data '{dataset.name}': its classes are not those that {weights} was trained on")
    if dataset.test.pixels.shape[1:] != (loaded.inputs.channels, loaded.inputs.size, loaded.inputs.size):
        raise UserError(f"data '{dataset.name}': the model takes images of {loaded.inputs.size} pixels; set data.size")
    chosen = batches.first_per_class(dataset.test.labels, settings.limit)
    examples = Examples(*batches.to_device(dataset.test, chosen, loaded.device))
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


def predict(weights: Path, images: list[Path], top: int = 5, device: str = "auto") -> list[Prediction]:
    """The classes of image files of any size, each brought to the size that the network takes.

    Raises UserError that names the file which cannot be read.
    """
    import torch

    loaded = Loaded(weights, device)
    found = []
    for path in images:
        with torch.no_grad():
            probabilities = torch.softmax(_logits(loaded, path), 1)[0]
        values, places = probabilities.topk(min(top, len(loaded.classes)))
        ranked = {loaded.classes[place]: value for value, place in zip(values.tolist(), places.tolist(), strict=True)}
        best = next(iter(ranked))
        found.append(Prediction(str(path), best, ranked[best], ranked))
    return found


def _read(weights: Path) -> bytes:
    try:
        return read_named(weights, LARGEST_WEIGHTS)
    except OSError as error:
        raise UserError(f"{weights}: {error.strerror}; expected a run, or a model.safetensors of one") from None


def _logits(loaded: Loaded, path: Path) -> Tensor:
    import torch

    from core.data.images import Form, read_image
    from core.training.evaluation import logits_of

    pixels = torch.from_numpy(read_image(path, Form(loaded.inputs.size, loaded.inputs.channels), named=True)).to(loaded.device)
    return logits_of(loaded.network, pixels[None], loaded.normalisation, loaded.precision)
