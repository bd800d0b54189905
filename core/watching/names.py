"""What a scalar is called here: ``train.loss`` for ``train/loss``, ``train_loss``, ``loss/train`` and ``Loss/Train``.

====================================================  ====================================================
in the file                                           here
====================================================  ====================================================
a word for a split at either end of the name:         ``train.``, ``val.`` or ``test.`` and the rest of it
``train``, ``val`` ``valid`` ``validation`` ``eval``
``dev``, ``test``
``loss``, ``acc``, ``accuracy``, ``top1`` without a   of ``train.``
split
``acc``, ``top1``, ``acc1`` ...                       ``accuracy``; values above 1 are taken for per cent
``lr``, ``lr-Adam``, ``learning_rate``                ``train.learning_rate``
``grad_norm``                                         ``train.gradient_norm``
``train_x_step``, ``val_x_epoch`` (Lightning)         ``train.x``, ``val.x``
``epoch_x`` (Keras)                                   ``x``
anything else                                         as it is, with ``.`` for ``/``
====================================================  ====================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.watching.rows import LONGEST_NAME

SPLITS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
ACCURACIES = frozenset({
    "acc", "accuracy", "top1", "top-1", "top_1", "acc1", "acc_1", "acc@1", "top1_acc", "acc_top1", "top1_accuracy",
    "categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy", "multiclassaccuracy", "multiclass_accuracy",
})  # fmt: skip
RATES = re.compile(r"(lr|learning[_ ]?rate)([-_/ :].*)?")
NORMS = frozenset({"grad_norm", "gradnorm", "gradient_norm", "total_grad_norm"})
LOADER = re.compile(r"/dataloader_idx_\d+$")
OF_PASSES = {"train": "_step", "val": "_epoch", "test": "_epoch"}
"""What Lightning adds to the name of the values that come as often as those of this split are expected."""


class Names:
    """Two scalars never get the same name: the second one keeps its own."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, tag: str) -> str:
        if tag not in self._found:
            self._found[tag] = self._free(tag)
            self._taken.add(self._found[tag])
        return self._found[tag]

    def __contains__(self, tag: str) -> bool:
        return tag in self._found

    def __len__(self) -> int:
        return len(self._found)

    def _free(self, tag: str) -> str:
        for name in (usual(tag), own(tag)):
            if name not in self._taken:
                return name
        number = 2
        while f"{own(tag)} {number}" in self._taken:
            number += 1
        return f"{own(tag)} {number}"


def usual(tag: str) -> str:
    split, rest = of_split(LOADER.sub("", tag.strip()))
    rest = rest.removeprefix("epoch_")
    if split and rest.endswith(OF_PASSES[split]):
        rest = rest.removesuffix(OF_PASSES[split])
    quantity = _quantity(rest)
    if quantity in ("learning_rate", "gradient_norm"):
        return f"train.{quantity}"
    if not split and quantity in ("loss", "accuracy"):
        return f"train.{quantity}"
    return f"{split}.{_undotted(quantity or rest)}" if split else own(rest)


def own(tag: str) -> str:
    """As it is in the file, with the dots that names have here."""
    return re.sub(r"[/\\]+", ".", tag.strip()).strip(".")[:LONGEST_NAME] or "value"


def of_split(tag: str) -> tuple[str, str]:
    """The split that a name begins or ends with, and the rest; an empty split where it names none."""
    parts = [part for part in re.split(r"[/\\.]+", tag) if part]
    if found := _without_split(parts):
        return found[0], "/".join(found[1])
    if parts and (found := _without_split(_words(parts[-1]))):
        return found[0], "/".join([*parts[:-1], "_".join(found[1])])
    return "", tag


def _without_split(words: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    for place, rest in ((0, words[1:]), (-1, words[:-1])) if len(words) > 1 else ():
        if split := SPLITS.get(words[place].casefold()):
            return split, rest
    return None


def _words(part: str) -> list[str]:
    return [word for word in re.split(r"[_\- :]+", part) if word]


def _quantity(rest: str) -> str:
    """By the name that it has here, empty where it has none."""
    known = rest.casefold()
    if known == "loss":
        return "loss"
    if known in ACCURACIES:
        return "accuracy"
    if RATES.fullmatch(known) or RATES.fullmatch(known.rpartition("/")[2]):
        return "learning_rate"
    return "gradient_norm" if known in NORMS else ""


def _undotted(rest: str) -> str:
    """So that all splits of it share a plot."""
    return rest.replace(".", "/")[:LONGEST_NAME]
