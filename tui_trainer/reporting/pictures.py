"""The images that a run got wrong most confidently, as PNG files within the page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

from core.checkpoint import Damaged
from core.run.folder import RunFolder
from core.view import pictures
from core.view.pictures import Picture
from core.view.state import PictureSet, State

KIND = "mistakes"
MOST = 32
MOST_BYTES = 2 << 20
"""Of all PNG files of a page."""


class Shown(NamedTuple):
    uri: str
    caption: str
    width: int
    height: int


class Gallery(NamedTuple):
    shown: tuple[Shown, ...]
    words: str
    """Which ones they are, or why there are none."""


def gallery(run: RunFolder, state: State) -> Gallery:
    """Of the latest measurement that kept some."""
    found = next((item for item in reversed(state.pictures) if item.kind == KIND), None)
    if found is None:
        return Gallery((), "The run kept no pictures of mistakes.")
    try:
        known = pictures.read(run, found.media, KIND)
    except Damaged as error:
        return Gallery((), f"The pictures of epoch {found.epoch} cannot be shown: {error}.")
    shown = tuple(_within(known, state.classes))
    return Gallery(shown, _words(found, len(shown), len(known)))


def _within(known: tuple[Picture, ...], classes: tuple[str, ...]) -> Iterator[Shown]:
    """The most confident first, as many as the page has room for."""
    left = MOST_BYTES
    for picture in sorted(known, key=_confidence, reverse=True)[:MOST]:
        data = png(picture)
        left -= len(data)
        if left < 0:
            return
        uri = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
        yield Shown(uri, caption(picture, classes), picture.width, picture.height)


def png(picture: Picture) -> bytes:
    """Channel by channel, as the run keeps them."""
    size, area = (picture.width, picture.height), picture.width * picture.height
    channels = [
        Image.frombytes("L", size, picture.pixels[place * area : (place + 1) * area]) for place in range(picture.channels)
    ]
    image = channels[0] if len(channels) == 1 else Image.merge("RGB", channels)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def caption(picture: Picture, classes: tuple[str, ...]) -> str:
    """``cat, taken for dog: 97 %``"""
    truth, guess = (classes[number] if 0 <= number < len(classes) else str(number) for number in (picture.label, picture.other))
    return f"{truth}, taken for {guess}: {100 * _confidence(picture):.0f}\u00a0%"


def _confidence(picture: Picture) -> float:
    return picture.share if math.isfinite(picture.share) and 0 <= picture.share <= 1 else 0.0


def _words(found: PictureSet, shown: int, known: int) -> str:
    which = f"The {shown} most confident" if shown < known else f"All {known}"
    return f"{which} of {known} kept on the {found.split} split after epoch {found.epoch}, and how sure the network was."
