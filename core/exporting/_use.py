"""The program in Python that a model card shows for a file: from a picture to the name of its class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.exporting._facts import Facts


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
    """As :func:`core.data.images.decoded` sees it, to the very pixel."""
    from core.data.images import MODES

    size, turned = facts.size, "[None, None]" if facts.channels == 1 else ".transpose(2, 0, 1)[None]"
    shape = f"{facts.channels}, {size}, {size}"
    if facts.channels not in MODES:
        yield f"images = np.zeros((1, {shape}), np.uint8)  # your image, which no usual file holds"
        return
    yield f'image = ImageOps.exif_transpose(Image.open("image.png")).convert("{MODES[facts.channels]}")'
    yield "side = min(image.size)"
    yield "left, top = (image.width - side) // 2, (image.height - side) // 2"
    yield f"square = image.resize(({size}, {size}), Image.Resampling.BICUBIC, (left, top, left + side, top + side))"
    yield f"images = np.array(square){turned}  # uint8 [n, {shape}]"


def _place(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line.lower()


def quoted(name: str) -> str:
    """A text as Python writes it, in ASCII; JSON has no way of its own for what lies beyond 16 bits."""
    return ascii(name)
