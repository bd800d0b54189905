"""From a recipe to everything that a training works on: device, data, network, optimizer."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core import data, models
from core.data import Dataset, adapting, augment, batches, resolution
from core.data.mapped import Mapped
from core.data.random import mix, seed_all
from core.errors import UserError
from core.models import FromData, Inputs
from core.recipe import Recipe, to_table
from core.sections import Data
from core.training import device as devices
from core.training import finetuning, optimizers
from core.training.averaging import Average
from core.training.evaluation import Examples, Normalisation
from core.training.examples import examples
from core.training.optimizers.sam import restored
from core.training.recipe_hash import recipe_hash
from core.training.snapshot import World
from core.training.weights_file import About

if TYPE_CHECKING:
    from core.training.distributed import Ranks

SEEN = 5_000
"""Training images that a network which begins from the data is shown."""


@dataclass(frozen=True)
class Setup:
    """Immutable but for network, optimizer, average and scaler, which training changes."""

    recipe: Recipe
    device: torch.device
    precision: str
    threads: int
    data: str
    classes: tuple[str, ...]
    normalisation: Normalisation
    train: Examples
    validation: Examples
    test: Examples
    network: nn.Module
    optimizer: torch.optim.Optimizer
    parameters: int
    macs: int
    world: World
    average: Average | None = None
    scaler: torch.amp.GradScaler | None = None
    class_weights: Tensor | None = None
    """Of the loss, where the recipe has them."""
    code: Path | None = None
    """The folder with code of the user's own, where the model is that."""
    ranks: Ranks | None = None
    """Where several processes train together."""
    notes: tuple[str, ...] = ()
    """In sentences, what was made of data and recipe that a person should know."""

    @property
    def measured(self) -> nn.Module:
        """What is measured and kept for use: the average of the weights where there is one."""
        return self.average.network if self.average else self.network

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.train) // self.recipe.batch_size)

    def split(self, name: str) -> Examples:
        return self.test if name == "test" else self.validation

    @property
    def inputs(self) -> Inputs:
        return Inputs(len(self.classes), *self.train.images.shape[1:3])

    def another_network(self) -> nn.Module:
        """The same architecture on the same device, for other weights."""
        return initialise(self.recipe, self.inputs, self.device, self.code)

    def metadata(self) -> dict[str, str]:
        """What goes into the weights file. One key, since safetensors writes several in a random order and equal weights should
        be equal files."""
        about = About(recipe=to_table(self.recipe), classes=self.classes, inputs=self.inputs, normalisation=self.normalisation)
        return about.metadata()


def prepare(
    recipe: Recipe,
    threads: int | None,
    progress: data.Progress,
    load: Callable[[Data, data.Progress], Dataset] = data.load,
    code: Path | None = None,
    begins: bool = True,
    ranks: Ranks | None = None,
) -> Setup:
    """Read the data, build the network. Raises UserError for whatever in the recipe does not fit this machine or the data.

    ``code`` is the folder with code of the user's own, where it is they who have named it as the model; without it none is run.
    ``begins`` is False for a run whose weights will come from a checkpoint.
    """
    progress("device", 0, 0, "")
    threads = devices.set_up(recipe, threads)
    device = devices.choose_device(recipe.device)
    progress("prepare", 0, 0, "")  # what reads or fetches them loads libraries first, and may say no more
    dataset = load(recipe.data, progress)
    train, held_out, test = batches.splits(dataset, recipe.data)
    _check_splits(recipe, dataset.name, train, held_out)
    normalisation = Normalisation(dataset.mean, dataset.std)
    inputs = Inputs(len(dataset.classes), *dataset.train.pixels.shape[1:3])
    written, recipe = recipe, adapting.adapted(recipe, inputs.size)
    progress("build", 0, 0, "")
    network = _network(recipe, inputs, device, code, len(train.indices))
    training = examples(train, device)
    if isinstance(network, FromData):
        network.set_from(batches.normalise(batches.sent(training.images[:SEEN], device), *normalisation))
    told, weights = _fine_tuned(recipe, network, dataset.classes, begins)
    parameters = models.count_parameters(network)
    models.check_limit(parameters, recipe.parameter_limit)
    precision = devices.choose_precision(recipe.precision, device)
    setup = Setup(
        recipe=recipe,
        device=device,
        precision=precision,
        threads=threads,
        data=dataset.name,
        classes=dataset.classes,
        normalisation=normalisation,
        train=training,
        validation=examples(held_out, device),
        test=examples(test, device),
        network=network,
        optimizer=optimizers.build(recipe.optimizer, network, recipe.compile),
        parameters=parameters,
        macs=sum(layer.macs for layer in models.layers_of(recipe.model, network, inputs)),
        world=_world(written, dataset, device, precision, threads, weights, ranks.size if ranks else 1),
        average=Average(network, recipe.averaging) if recipe.averaging.decay else None,
        scaler=devices.loss_scaler(precision, device),
        class_weights=_class_weights(recipe.data, train, len(dataset.classes), device),
        code=code,
        ranks=ranks,
        notes=tuple(filter(None, (*dataset.notes, *_notes(written, inputs.size, dataset, training, device), *told))),
    )
    if ranks and recipe.batch_norm == "synchronised":
        from core.training.synchronised import synchronise

        synchronise(network, ranks)  # after the average of the weights has been copied from it, which is only measured
    progress("build", 1, 1, "")
    return setup


def _network(recipe: Recipe, inputs: Inputs, device: torch.device, code: Path | None, images: int) -> nn.Module:
    """Checked against the data, before they are beside it: their size, what augmentation and smaller images need, the last
    batch of an epoch."""
    if not models.is_ours(recipe.model) and data.inputs(recipe.data) is None:
        models.sketch(recipe.model, inputs, code)  # what does not fit is said in a line; of other data this was done before
    network = initialise(recipe, inputs, device, code)
    augment.check(recipe.augment, inputs.channels, inputs.size, inputs.size)
    resolution.check(recipe.low_resolution, network, inputs.channels, inputs.size)
    _check_last_batch(recipe, network, images, inputs)
    return network


def _world(
    recipe: Recipe, dataset: Dataset, device: torch.device, precision: str, threads: int, weights: str, processes: int
) -> World:
    return World(
        recipe_hash=recipe_hash(recipe),
        data_fingerprint=dataset.fingerprint,
        torch=str(torch.__version__),
        device=device_name(device),
        precision=precision,
        threads=threads,
        tui_trainer=metadata.version("tui-trainer"),
        processor=f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        kernels=devices.kernels_name(recipe, device),
        weights=weights,
        processes=processes,
    )


def _check_splits(recipe: Recipe, data: str, train: batches.Chosen, held_out: batches.Chosen) -> None:
    if not len(train.indices):
        raise UserError(f"data '{data}': no training images are left after data.validation and data.limit")
    if recipe.watches and recipe.early_stopping.split == "validation" and not len(held_out.indices):
        raise UserError(f"data '{data}': data.validation = {recipe.data.validation} holds no image out; raise it")


def _class_weights(settings: Data, train: batches.Chosen, classes: int, device: torch.device) -> Tensor | None:
    return batches.balanced_weights(train.labels, classes).to(device) if settings.class_weights == "balanced" else None


def _notes(recipe: Recipe, size: int, dataset: Dataset, training: Examples, device: torch.device) -> Iterator[str]:
    yield adapting.note(recipe, size)
    if dataset.validation and not recipe.data.validation:
        yield "the data's own validation split is not looked at, since data.validation is 0"
    if isinstance(training.images, Mapped):
        yield "the training images would take more than half of the free memory: they are read from the cache as needed"
    if lacks := devices.lacking_kernels(recipe, device):
        yield f"convolutions and batch norm may take twice as long as they could: {lacks}"


def _check_last_batch(recipe: Recipe, network: nn.Module, images: int, inputs: Inputs) -> None:
    """Raises UserError where an epoch ends with one image alone and the network's norms can make nothing of that."""
    if recipe.batch_size > 1 and images % recipe.batch_size != 1:
        return
    for size in sorted({inputs.size, *(part.size for part in recipe.low_resolution)}, reverse=True):
        image = torch.zeros(1, inputs.channels, size, size, device=next(network.parameters()).device)
        with torch.no_grad(), restored(list(network.buffers())):
            try:
                network(image)
            except ValueError as error:
                last = f"with {recipe.batch_size} the last batch of {images:,} images is one alone"
                raise UserError(
                    f"batch_size: {last}, which the model does not take at {size} pixels ({error}); use another"
                ) from None


def _fine_tuned(recipe: Recipe, network: nn.Module, classes: tuple[str, ...], begins: bool) -> tuple[tuple[str, ...], str]:
    """Give a network the weights that the recipe begins from, and freeze what it freezes; returns what was done, in words, and
    the weights' fingerprint."""
    settings, notes, fingerprint = recipe.finetune, tuple[str, ...](), ""
    if settings.weights and begins:
        begin = finetuning.read(settings.weights)
        notes, fingerprint = (finetuning.take(network, begin, settings, classes),), begin.fingerprint
    finetuning.freeze(network, settings.frozen)
    return notes, fingerprint or finetuning.fingerprint(settings)


def initialise(recipe: Recipe, inputs: Inputs, device: torch.device, code: Path | None = None) -> nn.Module:
    """The network with weights drawn from the recipe's seed; drawn on the CPU, so that every device begins alike."""
    seed_all(mix(recipe.seed, 0))
    network = models.build(recipe.model, inputs, code).train()
    return devices.place(
        network, device, devices.choose_convolution(recipe, device), devices.choose_precision(recipe.precision, device)
    )


def device_name(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
