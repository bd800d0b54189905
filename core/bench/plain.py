"""The yardstick: a training step as it is commonly written with PyTorch and torchvision, of the same network.

fp32, torch's default memory layout, its own optimizer and kernels; images one by one through torchvision's transforms, in a
DataLoader's worker processes. ``python -P -m core.bench.plain`` talks as :mod:`core.bench.plain_process` has it.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.transforms import v2

from core import data, models
from core.bench.ours import RATE_SHARE, images_per_second, synchronise, warm_up
from core.bench.plain_process import Answer, Question
from core.bench.subject import read
from core.data import batches
from core.models import Inputs
from core.recipe import Recipe, from_table
from core.sections import AutoAugment, Crop, Cutout, Flip, Mixing, Perspective, Transform, TrivialAugment
from core.sections import Optimizer as Settings
from core.training.device import choose_device

MOST_WORKERS = 4
PREFETCH = 2
"""Batches that each worker keeps ready: the DataLoader's default."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux keeps what processes share  # nosec B108


class Pictures(Dataset[tuple[Tensor, int]]):
    """As torchvision's own data sets give them: an image at a time, as PIL has it, then transformed. ``pixels`` uint8
    [n, height, width, channels]."""

    def __init__(self, pixels: npt.NDArray[np.uint8], labels: list[int], transform: transforms.Compose) -> None:
        self.pixels, self.labels, self.transform = pixels, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


class PlainStep:
    """A :class:`core.bench.ours.Stepper`. ``close`` it: it has processes of its own."""

    def __init__(self, recipe: Recipe, dataset: data.Dataset, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        chosen, _ = batches.select(dataset.train.labels, len(dataset.classes), recipe.data.validation, recipe.data.limit)
        pixels = np.ascontiguousarray(dataset.train.pixels[chosen].transpose(0, 2, 3, 1))
        _, side, _, channels = pixels.shape
        self.network = models.build(recipe.model, Inputs(len(dataset.classes), channels, side), Path.cwd()).to(device)
        self.optimizer = optimizer(recipe.optimizer, self.network)
        self.mixing = mixing(recipe.mixing, len(dataset.classes))
        self.workers = workers(recipe.batch_size * pixels[0].size * 4)
        self._images = 0
        pictures = Pictures(pixels, dataset.train.labels[chosen].tolist(), transform(recipe, side, dataset.mean, dataset.std))
        self._loader: DataLoader[tuple[Tensor, int]] | None = DataLoader(
            pictures,
            recipe.batch_size,
            shuffle=True,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=device.type == "cuda",
        )
        self._batches = _endless(self._loader)

    def take(self) -> None:
        images, labels = (tensor.to(self.device, non_blocking=True) for tensor in next(self._batches))
        self._images += len(images)
        if self.mixing:
            images, labels = self.mixing(images, labels)
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.network(images), labels, label_smoothing=self.recipe.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def finish(self) -> int:
        synchronise(self.device)
        images, self._images = self._images, 0
        return images

    @contextmanager
    def on(self) -> Iterator[None]:
        """Only while entered do the workers run: frozen otherwise, they neither disturb other measurements nor get ahead."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def close(self) -> None:
        self._signal(signal.SIGCONT)
        self._batches, self._loader = iter(()), None  # the loader ends its workers when it goes

    def _signal(self, number: int) -> None:
        for worker in multiprocessing.active_children():
            if worker.pid:
                os.kill(worker.pid, number)


def workers(batch_bytes: int) -> int:
    """One a core, up to four; none where shared memory does not hold the batches that they keep ready (as in containers)."""
    count = min(MOST_WORKERS, os.cpu_count() or 1)
    room = shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.exists() else None
    return count if room is None or room > (PREFETCH * count + 1) * batch_bytes else 0


def transform(recipe: Recipe, side: int, mean: Sequence[float], std: Sequence[float]) -> transforms.Compose:
    """torchvision's closest to the recipe's transforms; a cutout comes last there, since zero is the mean by then."""
    before = [closest(item, side) for item in recipe.augment if not isinstance(item, Cutout)]
    after = [closest(item, side) for item in recipe.augment if isinstance(item, Cutout)]
    return transforms.Compose([*before, transforms.ToTensor(), transforms.Normalize(mean, std), *after])


def closest(item: Transform, side: int) -> Any:
    match item:
        case Perspective():
            return transforms.RandomPerspective(item.distortion, item.p)
        case Crop():
            return transforms.RandomCrop(side, item.padding, padding_mode="reflect" if item.fill == "reflect" else "constant")
        case Flip():
            return transforms.RandomHorizontalFlip(item.p)
        case Cutout():
            share = min(1.0, (item.size / side) ** 2)
            return transforms.RandomErasing(item.p, scale=(share, share), ratio=(1.0, 1.0))
        case TrivialAugment():
            return transforms.TrivialAugmentWide(item.bins)
        case AutoAugment():
            return transforms.AutoAugment(transforms.AutoAugmentPolicy.CIFAR10)


def mixing(settings: Mixing, classes: int) -> Any:
    """torchvision's MixUp and CutMix of whole batches; None for neither."""
    chosen: list[nn.Module] = []
    if settings.mixup:
        chosen.append(v2.MixUp(alpha=settings.mixup, num_classes=classes))
    if settings.cutmix:
        chosen.append(v2.CutMix(alpha=settings.cutmix, num_classes=classes))
    return v2.RandomChoice(chosen) if chosen else None


def optimizer(settings: Settings, network: nn.Module) -> torch.optim.Optimizer:
    """torch's own of the same name; SGD stands for Muon, which torch has for matrices alone."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    rate, decay = settings.lr * RATE_SHARE, settings.weight_decay
    match settings.name:
        case "adam":
            return torch.optim.Adam(parameters, rate, settings.betas, settings.eps, decay)
        case "adamw":
            return torch.optim.AdamW(parameters, rate, settings.betas, settings.eps, decay)
        case _:
            return torch.optim.SGD(parameters, rate, settings.momentum, weight_decay=decay, nesterov=settings.nesterov)


def _endless(loader: DataLoader[tuple[Tensor, int]]) -> Iterator[Any]:
    while True:
        yield from loader


def main() -> None:
    """Answer line by line until the standard input ends, or until terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # its own processes must be woken and ended first
    question = msgspec.json.decode(sys.stdin.buffer.readline(), type=Question)
    try:
        for answer in answers(question):
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()
            if not sys.stdin.buffer.readline():
                return
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        sys.stdout.buffer.write(msgspec.json.encode(Answer(error=f"{type(error).__name__}: {reason}")) + b"\n")


def answers(question: Question) -> Iterator[Answer]:
    """One when the step is warm, then one for each block, for as long as somebody asks."""
    torch.set_num_threads(question.threads)
    recipe = from_table(question.recipe)
    with closing(PlainStep(recipe, read(recipe.data, data.silent), choose_device(recipe.device))) as step:
        with step.on():
            steps = warm_up(step)
        yield Answer(workers=step.workers)
        while True:
            with step.on():
                rate = images_per_second(step, steps)
            yield Answer(images_per_second=rate)


if __name__ == "__main__":
    main()
