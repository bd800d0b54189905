"""The program in Python that a model card shows for a file: from a picture to the name of its class."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from core.exporting._facts import Facts

MODES = {1: "L", 3: "RGB"}
"""Pillow's, by the number of channels."""


def program(facts: Facts, standard: Sequence[str], libraries: Sequence[str], loads: str, runs: str) -> str:
    """``loads`` the file and defines ``classes``; ``runs`` gives ``logits`` of the numpy array ``images``. Imports are of the
    standard library and of others."""
    imports = sorted((*libraries, "import numpy as np", "from PIL import Image, ImageOps"), key=_place)
    return "\n".join([
        *standard, "", *imports, "",
        loads,
        *_image(facts),
        runs,
        "print(classes[int(logits[0].argmax())])",
    ])  # fmt: skip


def _image(facts: Facts) -> Iterator[str]:
    side, turned = facts.size, "[None, None]" if facts.channels == 1 else ".transpose(2, 0, 1)[None]"
    shape = f"{facts.channels}, {side}, {side}"
    if facts.channels not in MODES:
        yield f"images = np.zeros((1, {shape}), np.uint8)  # your image, which no usual file holds"
        return
    yield f'image = Image.open("image.png").convert({quoted(MODES[facts.channels])})'
    yield f"image = ImageOps.fit(image, ({side}, {side}), Image.Resampling.BICUBIC)"
    yield f"images = np.array(image){turned}  # uint8 [n, {shape}]"


def _place(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line.lower()


def quoted(name: str) -> str:
    """A text as Python and JSON write it, in ASCII."""
    return json.dumps(name)
