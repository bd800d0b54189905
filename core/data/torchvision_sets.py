"""The classification sets of torchvision that it fetches itself: which splits they have, and what their images are like.

``python -P -m core.data.torchvision_sets NAME FOLDER`` has torchvision fetch one, in a process that can be ended at any moment.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.models import Inputs

Split = Mapping[str, Any]
"""Arguments of torchvision's class."""


class Known(NamedTuple):
    class_name: str
    inputs: Inputs
    """As the set's own images are; ``LARGE`` where they have many sizes."""
    train: Split
    test: Split | None = None
    """None where all images are in one split, of which some are then kept for test."""
    validation: Split | None = None


LARGE = 64
_TRAIN: tuple[Split, Split] = ({"train": True}, {"train": False})
_SPLIT: tuple[Split, Split] = ({"split": "train"}, {"split": "test"})
_HELD_OUT: tuple[Split, Split, Split] = (*_SPLIT, {"split": "val"})

SETS = {
    "cifar100": Known("CIFAR100", Inputs(100, 3, 32), *_TRAIN),
    "country211": Known("Country211", Inputs(211, 3, LARGE), *_SPLIT, {"split": "valid"}),
    "dtd": Known("DTD", Inputs(47, 3, LARGE), *_HELD_OUT),
    "emnist": Known("EMNIST", Inputs(47, 1, 28), *({"split": "balanced", **split} for split in _TRAIN)),
    "eurosat": Known("EuroSAT", Inputs(10, 3, 64), {}),
    "fashion_mnist": Known("FashionMNIST", Inputs(10, 1, 28), *_TRAIN),
    "fgvc_aircraft": Known("FGVCAircraft", Inputs(100, 3, LARGE), *_HELD_OUT),
    "flowers102": Known("Flowers102", Inputs(102, 3, LARGE), *_HELD_OUT),
    "food101": Known("Food101", Inputs(101, 3, LARGE), *_SPLIT),
    "gtsrb": Known("GTSRB", Inputs(43, 3, 32), *_SPLIT),
    "imagenette": Known("Imagenette", Inputs(10, 3, LARGE), *({"split": name, "size": "160px"} for name in ("train", "val"))),
    "kmnist": Known("KMNIST", Inputs(10, 1, 28), *_TRAIN),
    "mnist": Known("MNIST", Inputs(10, 1, 28), *_TRAIN),
    "oxford_iiit_pet": Known("OxfordIIITPet", Inputs(37, 3, LARGE), {"split": "trainval"}, {"split": "test"}),
    "qmnist": Known("QMNIST", Inputs(10, 1, 28), *_TRAIN),
    "rendered_sst2": Known("RenderedSST2", Inputs(2, 3, LARGE), *_HELD_OUT),
    "semeion": Known("SEMEION", Inputs(10, 1, 16), {}),
    "stl10": Known("STL10", Inputs(10, 3, 96), *_SPLIT),
    "svhn": Known("SVHN", Inputs(10, 3, 32), *_SPLIT),
    "usps": Known("USPS", Inputs(10, 1, 16), *_TRAIN),
}


def splits(name: str, root: Path, download: bool = False) -> dict[str, Any]:
    """torchvision's data sets by split. Raises whatever it raises."""
    from torchvision import datasets

    known = SETS[name]
    arguments = {"train": known.train, "test": known.test, "validation": known.validation}
    kind = getattr(datasets, known.class_name)
    return {split: kind(root=root, download=download, **given) for split, given in arguments.items() if given is not None}


if __name__ == "__main__":
    splits(sys.argv[1], Path(sys.argv[2]), download=True)
