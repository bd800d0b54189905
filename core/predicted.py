"""What saved weights say of images, however many: a batch at a time, so that the first are told before the others are read.

for found in core.predictions(Path("model.safetensors"), Path("photos").glob("*.jpg")):
    print(found.path, found.reason if isinstance(found, core.Refused) else found.class_)
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from core.errors import UserError
from core.predicting import Loaded

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from core.data.images import Form

    Pixels: TypeAlias = npt.NDArray[np.uint8]
    Read: TypeAlias = tuple[Path, Pixels | str]
    """What was given, and its pixels or why there are none."""

BATCH = 64
"""Images that the network takes at a time, where nobody says how many."""


class Prediction(msgspec.Struct, frozen=True):
    """``top`` maps the likeliest classes to their probabilities, likeliest first."""

    path: str
    class_: str = msgspec.field(name="class")
    probability: float
    top: dict[str, float]


class Refused(msgspec.Struct, frozen=True):
    """An image that cannot be read, and ``reason``, a line that names it."""

    path: str
    reason: str


class Given(NamedTuple):
    """A path, and whether a person has ``named`` it: then it may be a pipe."""

    path: Path
    named: bool
    reason: str = ""
    """Why it is no image, where that is known already."""


class Seen(NamedTuple):
    """``pixels`` as the network sees them, uint8 [channels, size, size]; None where the image was refused."""

    said: Prediction | Refused
    pixels: Pixels | None


def predict(
    weights: Path,
    images: Iterable[Path],
    top: int = 5,
    device: str = "auto",
    model: str | None = None,
    code: Path | None = None,
) -> list[Prediction]:
    """The classes of image files of any size, each brought to the size that the network takes.

    ``model`` and ``code`` are those of :func:`core.evaluate`. Raises UserError that names the first file which cannot be read;
    for very many, or where some may be damaged, there is :func:`predictions`.
    """
    found = []
    for said in predictions(weights, images, top, device, model, code):
        if isinstance(said, Refused):
            raise UserError(said.reason)
        found.append(said)
    return found


def predictions(
    weights: Path,
    images: Iterable[Path],
    top: int = 5,
    device: str = "auto",
    model: str | None = None,
    code: Path | None = None,
    batch: int = BATCH,
) -> Generator[Prediction | Refused]:
    """As :func:`predict`, one after the other as they come, in order, of any number of images: ``images`` may be a generator
    and is asked for a batch before the first of it is told. One that cannot be read is :class:`Refused`, and the rest
    goes on. Raises UserError at once where the weights cannot be used.
    """
    loaded = Loaded(weights, device, None, model, code)
    return (seen.said for seen in look(loaded, (Given(path, True) for path in images), top, batch))


def look(loaded: Loaded, images: Iterable[Given], top: int, batch: int = BATCH) -> Generator[Seen]:
    """In batches of a fixed size, so that the same images give the same bits however fast their list comes."""
    from core.data.images import Form

    form = Form(loaded.inputs.size, loaded.inputs.channels)
    waiting: list[Read] = []
    for given in images:
        waiting.append((given.path, _pixels(given, form)))
        if len(waiting) == batch:
            yield from _said(loaded, waiting, top)
            waiting = []
    yield from _said(loaded, waiting, top)


def _pixels(given: Given, form: Form) -> Pixels | str:
    from core.data.images import read_image

    if given.reason:
        return given.reason
    try:
        return read_image(given.path, form, named=given.named)
    except UserError as error:
        return str(error)


def _said(loaded: Loaded, pictures: list[Read], top: int) -> Iterator[Seen]:
    ranked = iter(_ranked(loaded, [pixels for _, pixels in pictures if not isinstance(pixels, str)], top))
    for path, pixels in pictures:
        if isinstance(pixels, str):
            yield Seen(Refused(str(path), pixels), None)
            continue
        classes = next(ranked)
        best = next(iter(classes))
        yield Seen(Prediction(str(path), best, classes[best], classes), pixels)


def _ranked(loaded: Loaded, pixels: list[Pixels], top: int) -> list[dict[str, float]]:
    if not pixels:
        return []
    import numpy as np
    import torch

    from core.training.evaluation import logits_of

    images = torch.from_numpy(np.stack(pixels)).to(loaded.device)
    with torch.no_grad():
        logits = logits_of(loaded.network, images, loaded.normalisation, loaded.precision)
        values, places = torch.softmax(logits, 1).topk(min(top, len(loaded.classes)))
    return [
        {loaded.classes[place]: value for value, place in zip(*row, strict=True)}
        for row in zip(values.tolist(), places.tolist(), strict=True)
    ]
