"""Using saved weights: a weights file (``model.safetensors``) is enough alone, its metadata say how to build the network.
What they say of images is in :mod:`core.predicted`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
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
    from torch import nn

    from core.data import batches
    from core.training.evaluation import Result

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


class Stored:
    """A weights file, read and checked as far as that can be done without building its network."""

    def __init__(self, weights: Path) -> None:
        """Raises UserError when the file is missing, damaged, or not one of ours."""
        from core.training.weights_file import read_weights

        with _in_one_line(weights):
            tensors, self.about = read_weights(_read(weights))
            # In memory as torch aligns it, on which the bits of its kernels may depend; one by one, since they may be large.
            self._tensors = {name: tensors.pop(name).clone() for name in list(tensors)}
            self.recipe: Recipe = from_table(self.about.recipe, str(weights))
        self.path, self.classes, self.inputs = weights, self.about.classes, self.about.inputs
        self.normalisation = self.about.normalisation

    def place_of_code(self, model: str | None, code: Path | None) -> Path | None:
        """The folder of the code that is its model, where the user has named that as ``model``: ``code``, by itself the present
        one. None where they have not. Raises UserError for another name."""
        if model is None:
            return None
        if (name := self.recipe.model.get("name")) != model or not models.is_code(self.recipe.model):
            raise UserError(f"--model {model}: the model of {self.path} is {name}; leave it out, or name that")
        return code or Path.cwd()

    def network(self, model: str | None = None, code: Path | None = None) -> nn.Module:
        """The network with its weights, on the host, as its own file or library makes it.

        Raises UserError when the tensors do not fit, and when its model is code of somebody's own that the user has not named
        as ``model``, see :meth:`place_of_code`.
        """
        import torch

        from core.training.weights_file import check_weights

        place_of_code = self.place_of_code(model, code)
        with _in_one_line(self.path):
            with torch.device("meta") if models.is_ours(self.recipe.model) else nullcontext():
                # What the file claims costs no memory, as a rule, until its tensors are known to fit.
                check_weights(self._tensors, models.sketch(self.recipe.model, self.inputs, place_of_code))
            network = models.build(self.recipe.model, self.inputs, place_of_code)
        network.load_state_dict(self._tensors, assign=not _has_tied(network))  # nothing changes them: once is enough
        return network.eval()


def _has_tied(network: nn.Module) -> bool:
    """Whether parameters of several names are one."""
    return len(list(network.parameters())) < len(list(network.named_parameters(remove_duplicate=False)))


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
        """Raises UserError as :class:`Stored` and its network do, and for a device that there is not."""

        from core.training.device import choose_convolution, choose_device, choose_precision, place, set_up

        self.stored = stored = Stored(weights)
        self.recipe, self.classes, self.inputs = stored.recipe, stored.classes, stored.inputs
        self.normalisation = stored.normalisation
        set_up(self.recipe, threads)
        self.device: torch.device = choose_device(device)
        self.precision = choose_precision(self.recipe.precision, self.device)
        network = stored.network(model, code)
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
    loaded = Loaded(weights, device, threads, model, code)
    _, test = images_to_test(loaded.stored, settings, progress)
    return summary(loaded.stored, measure(loaded, test, settings, progress))


def images_to_test(
    stored: Stored, settings: Data | None = None, progress: data.Progress = data.silent
) -> tuple[str, batches.Chosen]:
    """The test split of the data that a weights file was trained on, or of others, as its network takes them, and the name of
    those data. Raises UserError where they do not fit."""
    from core.data import batches

    given, inputs = settings or stored.recipe.data, stored.inputs
    settings = replace(given, size=inputs.size, color_mode="grayscale" if inputs.channels == 1 else "rgb")
    dataset = data.load(settings, progress)
    if dataset.classes != stored.classes:
        raise UserError(f"data '{dataset.name}': its classes are not those that {stored.path} was trained on")
    if dataset.test.pixels.shape[1:] != (inputs.channels, inputs.size, inputs.size):
        raise UserError(f"data '{dataset.name}': the model takes images of {inputs.size} pixels; set data.size")
    return dataset.name, batches.Chosen(dataset.test, batches.first_per_class(dataset.test.labels, settings.limit))


def measure(
    loaded: Loaded,
    test: batches.Chosen,
    settings: Data | None = None,
    progress: data.Progress = data.silent,
    remember: bool = False,
    precision: str = "",
) -> Result:
    """One pass over test images. ``remember`` what each of them is taken for; another ``precision`` than the recipe's."""
    from core.training.evaluation import Evaluation as Pass
    from core.training.examples import examples as placed

    examples, batch = placed(test, loaded.device), (settings or loaded.recipe.data).evaluation_batch_size
    passing = Pass(
        loaded.network, examples, len(loaded.classes), loaded.normalisation, batch, precision or loaded.precision,
        remember=remember,
    )  # fmt: skip
    for done in passing:
        progress("evaluate", done, len(examples), "images")
    return passing.result()


def summary(stored: Stored, result: Result) -> Evaluation:
    by_class = {
        name: correct / max(1, images)
        for name, correct, images in zip(stored.classes, result.correct, result.images, strict=True)
    }
    return Evaluation(
        result.accuracy, result.loss, by_class, result.confusion, sum(result.images), stored.path.parent.name,
        result.balanced_accuracy,
    )  # fmt: skip


@contextmanager
def _in_one_line(weights: Path) -> Iterator[None]:
    try:
        yield
    except (Damaged, RuntimeError, RecursionError) as error:
        raise UserError(f"{weights}: {error}; expected a run, or a model.safetensors of one") from None


def _read(weights: Path) -> bytes:
    try:
        return read_named(weights, LARGEST_WEIGHTS)
    except OSError as error:
        raise UserError(f"{weights}: {error.strerror}; expected a run, or a model.safetensors of one") from None
