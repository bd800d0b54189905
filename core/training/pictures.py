"""Which images a run keeps, to be looked at: the mistakes of a measurement, and batches as the network sees them.

Nothing that trains is touched: what was guessed is remembered on the device and fetched once a pass, and a batch is computed
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from core.errors import out_of_memory
from core.events import Event, MessageLogged, PicturesLogged
from core.run import disk
from core.training.evaluation import Examples, Guesses, Normalisation, Result
from core.training.setup import Setup

if TYPE_CHECKING:
    from core.training.trainer import Trainer

LARGEST_SIDE = 64
"""Pixels; larger images are made smaller."""
CHANNELS = (1, 3)
"""Others can not be looked at."""
PAIRS, OF_PAIR = 12, 4
"""Beside the worst mistakes of all, so many of each of the most frequent pairs (true class, taken for)."""


def keeps_mistakes(setup: Setup, split: str) -> bool:
    """Of the split that is measured each epoch, else of those that are measured at the end."""
    recipe = setup.recipe
    watched = split == recipe.early_stopping.split if recipe.watches else True
    return watched and recipe.pictures.mistakes > 0 and setup.inputs.channels in CHANNELS


def of_mistakes(trainer: Trainer, split: str, result: Result, checkpoint: str) -> Iterator[Event]:
    """The images that were most confidently taken for another class."""
    if result.guesses is None or not trainer.saver.writes:
        return
    examples = trainer.setup.split(split)
    chosen = worst(examples.labels.cpu(), result.guesses, trainer.recipe.pictures.mistakes)
    if len(chosen):
        yield from _kept(trainer, "mistakes", split, trainer.epoch, mistakes(examples, result.guesses, chosen), checkpoint)


def of_batch(trainer: Trainer, epoch: int) -> Iterator[Event]:
    """The first images of an epoch, said before its first step alone, so that a resumed run says the same."""
    count, place = trainer.recipe.pictures.batch, trainer.progress.step
    if (
        not count
        or not trainer.saver.writes
        or trainer.setup.inputs.channels not in CHANNELS
        or place != (epoch - 1) * trainer.setup.steps_per_epoch
    ):
        return
    try:
        samples, images, targets = trainer.steps.shown(epoch, count)
    except (RuntimeError, MemoryError) as error:
        if out_of_memory(error):  # the step itself will say so, and what would fit
            return
        raise
    tensors = {
        "pixels": smaller(denormalised(images, trainer.setup.normalisation).cpu()),
        "samples": samples.cpu(),
        "labels": targets.labels.cpu(),
        "others": targets.others.cpu(),
        "shares": torch.full((len(samples),), targets.share, dtype=torch.float32),
    }
    yield from _kept(trainer, "batch", "train", epoch, tensors)


def worst(labels: Tensor, guesses: Guesses, most: int) -> Tensor:
    """Places of wrong guesses, the most confident first: the worst of all, and the worst of the most frequent pairs."""
    wrong = (guesses.taken_for != labels).nonzero()[:, 0]
    confidence = guesses.confidence[wrong].nan_to_num(0.0)
    wrong = wrong[confidence.argsort(descending=True, stable=True)]
    chosen = torch.arange(len(wrong)) < most
    pairs = labels[wrong] * (int(guesses.taken_for.max()) + 1 if len(wrong) else 1) + guesses.taken_for[wrong]
    found, counts = pairs.unique(return_counts=True)  # type: ignore[no-untyped-call]
    for pair in found[counts.argsort(descending=True, stable=True)[:PAIRS]]:
        chosen[(pairs == pair).nonzero()[:OF_PAIR, 0]] = True
    return wrong[chosen]


def mistakes(examples: Examples, guesses: Guesses, chosen: Tensor) -> dict[str, Tensor]:
    places = chosen.to(examples.images.device)
    return {
        "pixels": smaller(examples.images[places].cpu()),
        "samples": chosen,
        "labels": examples.labels[places].cpu(),
        "guesses": guesses.taken_for[chosen],
        "confidences": guesses.confidence[chosen].nan_to_num(0.0),
    }


def denormalised(images: Tensor, normalisation: Normalisation) -> Tensor:
    """Images as the network takes them, as uint8 pixels again."""
    mean, std = (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in normalisation)
    return ((images.float() * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)


def smaller(pixels: Tensor) -> Tensor:
    """uint8 [n, channels, height, width], no side longer than LARGEST_SIDE."""
    height, width = pixels.shape[-2:]
    scale = LARGEST_SIDE / max(height, width)
    if scale >= 1:
        return pixels.contiguous()
    size = max(1, round(height * scale)), max(1, round(width * scale))
    resized = functional.interpolate(pixels.float(), size, mode="bilinear", antialias=True, align_corners=False)
    return resized.round().clamp(0, 255).to(torch.uint8).contiguous()


def _kept(
    trainer: Trainer, kind: str, split: str, epoch: int, tensors: dict[str, Tensor], checkpoint: str = ""
) -> Iterator[Event]:
    own = {name: tensor.clone() for name, tensor in tensors.items()}  # labels may be the same ones twice
    data, media = safetensors.torch.save(own), trainer.saver.media
    try:
        name = media.keep(data)
    except OSError as error:  # a training does not wait for its pictures
        if not media.trouble:
            media.trouble = True
            yield MessageLogged(level="warning", text=f"pictures are not kept: {disk.words(error)}")
        return
    yield PicturesLogged(
        kind=kind, split=split, epoch=epoch, step=trainer.progress.step, pictures=len(tensors["pixels"]), bytes=len(data),
        media=name, checkpoint=checkpoint,
    )  # fmt: skip
