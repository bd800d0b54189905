"""Runs made up for the tests that keep pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save

from core import events as e
from core.events import Event
from core.run.folder import RunFolder
from core.run.media import Media
from tests.tui import runs as made


def image(number: int, side: int = 32) -> torch.Tensor:
    """A bright disc on a dark ground, each number's somewhere else and in another colour."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    middle = torch.tensor([side * (0.3 + 0.07 * (number % 6)), side * (0.3 + 0.1 * (number % 5))])
    disc = ((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 < (side / 4) ** 2).float()
    colour = torch.tensor([(number * 37) % 200 + 55, (number * 91) % 200 + 55, (number * 53) % 200 + 55])
    return (20 + disc * (colour.view(3, 1, 1) - 20)).to(torch.uint8)


def mistakes(count: int) -> bytes:
    places = torch.arange(count)
    return save({
        "pixels": torch.stack([image(number) for number in range(count)]), "samples": places,
        "labels": places * 3 % 10, "guesses": (places * 3 + 1 + places % 2) % 10,
        "confidences": torch.linspace(0.99, 0.4, count),
    })  # fmt: skip


def batch(count: int, side: int = 32) -> bytes:
    places = torch.arange(count)
    return save({
        "pixels": torch.stack([image(number + 7, side) for number in range(count)]), "samples": places,
        "labels": places % 10, "others": (places + 4) % 10, "shares": torch.full((count,), 0.7),
    })  # fmt: skip


def event(run: RunFolder, kind: str, epoch: int, data: bytes, count: int) -> e.PicturesLogged:
    split, step = ("validation", epoch * made.STEPS) if kind == "mistakes" else ("train", (epoch - 1) * made.STEPS)
    name = Media(run.media).keep(data)
    return e.PicturesLogged(kind=kind, split=split, epoch=epoch, step=step, pictures=count, bytes=len(data), media=name)


def with_pictures(runs: Path, told: Iterator[Event], name: str = "demo") -> RunFolder:
    """The run, with pictures of its epochs 6 and 7."""
    run, events = made.make(runs, name, ()), list[Event]()
    for item in told:
        events.append(item)
        if isinstance(item, e.EpochStarted) and item.epoch in (6, 7):
            events.append(event(run, "batch", item.epoch, batch(8 + item.epoch), 8 + item.epoch))
        if isinstance(item, e.ValidationDone) and item.epoch in (6, 7) and not item.checkpoint:
            events.append(event(run, "mistakes", item.epoch, mistakes(30 + item.epoch), 30 + item.epoch))
    made.say(run, events)
    return run
