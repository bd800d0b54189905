"""From a recipe to everything that a training works on: device, data, network, optimizer."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass

import msgspec
import torch
from torch import nn

from core import data, models
from core.data import batches
from core.data.random import mix
from core.errors import UserError
from core.models import Inputs
from core.recipe import Checkpoint, Recipe, to_table
from core.training import device as devices
from core.training import optimizers
from core.training.evaluation import Examples, Normalisation
from core.training.snapshot import METADATA, About, World


@dataclass(frozen=True)
class Setup:
    """Immutable but for the network and the optimizer, which training changes."""

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
        return initialise(self.recipe, self.inputs, self.device)

    def metadata(self) -> dict[str, str]:
        """What goes into the weights file, so that it is enough alone to evaluate and predict.

        One key, since safetensors writes several in a random order and equal weights should be equal files.
        """
        about = About(recipe=to_table(self.recipe), classes=self.classes, inputs=self.inputs, normalisation=self.normalisation)
        return {METADATA: msgspec.json.encode(about).decode()}


def prepare(recipe: Recipe, threads: int | None, progress: data.Progress) -> Setup:
    """Read the data, build the network. Raises UserError for whatever in the recipe does not fit this machine or the data."""
    threads = devices.set_up(recipe, threads)
    device = devices.choose_device(recipe.device)
    dataset = data.load(recipe.data, progress)
    train, held_out = batches.select(dataset.train.labels, len(dataset.classes), recipe.data.validation, recipe.data.limit)
    if not len(train):
        raise UserError(f"data '{dataset.name}': no training images are left after data.validation and data.limit")
    if recipe.early_stopping.split == "validation" and not len(held_out):
        raise UserError(f"data '{dataset.name}': data.validation = {recipe.data.validation} holds no image out; raise it")
    test = batches.first_per_class(dataset.test.labels, recipe.data.limit)
    normalisation = Normalisation(dataset.mean, dataset.std)
    inputs = Inputs(len(dataset.classes), *dataset.train.pixels.shape[1:3])
    network = initialise(recipe, inputs, device)
    parameters = models.count_parameters(network)
    models.check_limit(parameters, recipe.parameter_limit)
    return Setup(
        recipe=recipe,
        device=device,
        precision=devices.choose_precision(recipe.precision, device),
        threads=threads,
        data=dataset.name,
        classes=dataset.classes,
        normalisation=normalisation,
        train=Examples(*batches.to_device(dataset.train, train, device)),
        validation=Examples(*batches.to_device(dataset.train, held_out, device)),
        test=Examples(*batches.to_device(dataset.test, test, device)),
        network=network,
        optimizer=optimizers.build(recipe.optimizer, network),
        parameters=parameters,
        macs=models.count_macs(recipe.model, inputs),
        world=World(
            recipe_hash=recipe_hash(recipe),
            data_fingerprint=dataset.fingerprint,
            torch=str(torch.__version__),
            device=device_name(device),
            precision=devices.choose_precision(recipe.precision, device),
            threads=threads,
            processor=f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        ),
    )


def initialise(recipe: Recipe, inputs: Inputs, device: torch.device) -> nn.Module:
    """The network with weights drawn from the recipe's seed; drawn on the CPU, so that every device begins alike."""
    torch.manual_seed(mix(recipe.seed, 0))
    return devices.place(models.build(recipe.model, inputs), device)


def recipe_hash(recipe: Recipe) -> str:
    """Of all that decides the result at a given step; names, the device and how often to save are left out, and so is the
    length, which may be amended."""
    same = msgspec.structs.replace(recipe, name="", description="", epochs=1, device="", checkpoint=Checkpoint())
    return hashlib.sha256(msgspec.json.encode(same, order="deterministic")).hexdigest()


def device_name(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
