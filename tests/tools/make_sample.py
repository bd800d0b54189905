"""Make the sheets in core/data/sample from the official binary form of CIFAR-10.

    python tests/tools/make_sample.py cifar-10-batches-bin core/data/sample

Takes the first 250 training and the first 100 test images of each class, in the order of the files. Prints the SHA-256s.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from core.data import cifar
from core.data.sources.sample import COLUMNS

PER_CLASS = {"train": 250, "test": 100}


def main(source: Path, target: Path) -> None:
    batches = cifar.read(cifar.Location(source, cifar.BINARY), lambda count: None)
    for split, parts in (("train", batches[:-1]), ("test", batches[-1:])):
        pixels, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        first = np.concatenate([np.flatnonzero(labels == label)[: PER_CLASS[split]] for label in range(10)])
        tiles = pixels[first].reshape(-1, COLUMNS, 3, 32, 32).transpose(0, 3, 1, 4, 2)
        sheet = Image.fromarray(tiles.reshape(-1, COLUMNS * 32, 3))
        file = target / f"{split}.webp"
        sheet.save(file, lossless=True, quality=100, method=6, exact=True)
        print(hashlib.sha256(file.read_bytes()).hexdigest(), file)  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
