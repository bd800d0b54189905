"""A recipe is everything that decides a training's result: nested Structs, read from TOML, overridden by ``key.path=value``.

Importing this imports no torch. ``model`` and ``data`` stay open tables here, since their keys belong to the model or the
data source that ``name`` / ``source`` picks; :mod:`core.run.describe` checks a model's keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from core.errors import UserError
from core.explain import explain, hint

LARGEST_COUNT = 1_000_000
"""Epochs."""
LARGEST_RATE = 1e30
"""Keeps infinity out."""
Probability: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
PositiveFloat: TypeAlias = Annotated[float, Meta(gt=0)]
NonNegativeFloat: TypeAlias = Annotated[float, Meta(ge=0)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a recipe."""


class Perspective(Section, frozen=True, kw_only=True, tag_field="name", tag="perspective"):
    """torchvision's RandomPerspective, each image with its own corners."""

    distortion: Probability = 0.5
    p: Probability = 0.5


class Crop(Section, frozen=True, kw_only=True, tag_field="name", tag="crop"):
    """torchvision's RandomCrop to the image's own size after zero padding on all sides (pixels)."""

    padding: Count = 4


class Flip(Section, frozen=True, kw_only=True, tag_field="name", tag="flip"):
    """torchvision's RandomHorizontalFlip."""

    p: Probability = 0.5


Transform: TypeAlias = Perspective | Crop | Flip


class Data(Section, frozen=True, kw_only=True):
    source: str = "cifar10"
    """A file in ``core/data/sources``."""
    path: str | None = None
    size: Positive = 32
    """Side of the square that images of a ``folder`` are brought to (pixels)."""
    validation: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Share of the training images that is held out, drawn evenly from each class."""
    limit: Positive | None = None
    """Use only so many training images (and as many of each held-out split at the most), evenly from each class."""
    evaluation_batch_size: Positive = 150


class Optimizer(Section, frozen=True, kw_only=True):
    name: Literal["adam", "adamw", "sgd"] = "adam"
    lr: Annotated[float, Meta(gt=0, le=LARGEST_RATE)] = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    momentum: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """SGD only."""
    nesterov: bool = False
    """SGD only; needs momentum above 0."""
    betas: tuple[Annotated[float, Meta(ge=0, lt=1)], Annotated[float, Meta(ge=0, lt=1)]] = (0.9, 0.999)
    """Adam and AdamW only."""
    eps: PositiveFloat = 1e-8


class Schedule(Section, frozen=True, kw_only=True):
    name: Literal["constant", "cosine"] = "cosine"
    per: Literal["epoch", "step"] = "epoch"
    """Whether the rate moves at each epoch (as torch's CosineAnnealingLR is commonly stepped) or at each step."""
    warmup_epochs: NonNegativeFloat = 0.0
    """Linear rise from zero over so many epochs, before the schedule proper."""


class EarlyStopping(Section, frozen=True, kw_only=True):
    enabled: bool = True
    split: Literal["validation", "test"] = "validation"
    metric: Literal["loss", "accuracy"] = "loss"
    patience: Annotated[int, Meta(ge=1, le=LARGEST_COUNT)] = 10
    """Epochs without an improvement of at least ``min_delta`` after which the run ends."""
    min_delta: NonNegativeFloat = 0.0

    @property
    def monitor(self) -> str:
        """The metric's name in events, for instance ``val.loss``."""
        return f"{'val' if self.split == 'validation' else 'test'}.{self.metric}"


class Checkpoint(Section, frozen=True, kw_only=True):
    every_seconds: NonNegativeFloat = 60.0
    """0 for never."""
    every_epochs: Positive = 1
    keep: Positive = 3
    """How many of the latest stay, beside the best one and every named one."""


class Recipe(Section, frozen=True, kw_only=True):
    name: str = "unnamed"
    description: str = ""
    epochs: Annotated[int, Meta(ge=1, le=LARGEST_COUNT)] = 50
    batch_size: Positive = 100
    seed: Count = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: str = "auto"
    deterministic: bool = True
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    parameter_limit: Positive | None = None
    data: Data = Data()
    model: dict[str, Any] = {}
    augment: tuple[Transform, ...] = ()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    early_stopping: EarlyStopping = EarlyStopping()
    checkpoint: Checkpoint = Checkpoint()

    def __post_init__(self) -> None:
        if self.early_stopping.split == "validation" and self.data.validation == 0:
            raise ValueError("early_stopping.split is 'validation', but data.validation holds nothing out (set it above 0)")
        if self.optimizer.nesterov and self.optimizer.momentum == 0:
            raise ValueError("optimizer.nesterov needs optimizer.momentum above 0")


def names() -> list[str]:
    """The recipes that come with the package, one TOML file each."""
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def source_text(name: str) -> str:
    """The TOML text of a recipe of the package; raises UserError for an unknown name."""
    if name not in names():
        raise UserError(f"recipe '{name}' is not known{hint(name, names())}; known are {', '.join(names())}")
    return (_folder() / f"{name}.toml").read_text("utf-8")


def load(name_or_path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """A recipe by its name, or from a ``.toml`` file, with ``key.path=value`` overrides applied in order.

    Raises :class:`UserError` in one line that names the file or the key and what was expected.
    """
    text, where, default_name = _read(str(name_or_path))
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where}: not valid TOML: {error}") from None
    table.setdefault("name", default_name)
    for override in overrides:
        _apply(table, override)
    return from_table(table, where)


def changed(recipe: Recipe, overrides: Iterable[str]) -> Recipe:
    """The recipe with ``key.path=value`` overrides applied in order; raises UserError as :func:`load` does."""
    table = to_table(recipe)
    for override in overrides:
        _apply(table, override)
    return from_table(table, f"recipe '{recipe.name}'")


def from_table(table: Any, where: str = "recipe") -> Recipe:
    """A recipe from plain dicts and lists, checked; raises UserError."""
    try:
        return msgspec.convert(table, Recipe)
    except msgspec.ValidationError as error:
        raise UserError(f"{where}: {explain(str(error), table, Recipe)}") from None


def to_table(recipe: Recipe) -> dict[str, Any]:
    """Plain dicts and lists, ready for TOML or JSON; keys without a value are left out, since TOML has no null."""
    table: dict[str, Any] = _without_none(msgspec.to_builtins(recipe))
    return table


def to_toml(recipe: Recipe) -> str:
    return msgspec.toml.encode(to_table(recipe)).decode()


def _folder() -> Traversable:
    return resources.files("core") / "recipes"


def _read(name_or_path: str) -> tuple[str, str, str]:
    if not name_or_path.endswith(".toml") and "/" not in name_or_path:
        return source_text(name_or_path), f"recipe '{name_or_path}'", name_or_path
    path = Path(name_or_path)
    try:
        if path.stat().st_size > 1 << 20:
            raise UserError(f"{path}: larger than 1 MiB, which no recipe is")
        return path.read_text("utf-8"), str(path), path.stem
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UserError(f"recipe file {path}: {reason}; expected a TOML file or one of {', '.join(names())}") from None


def _apply(table: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise UserError(f"--set {override!r}: expected key.path=value, for instance optimizer.lr=0.001")
    for depth, part in enumerate(parts[:-1], 1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UserError(f"--set {override!r}: {'.'.join(parts[:depth])} is a value, not a table")
    table[parts[-1]] = _value(text.strip())


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, (list, tuple)) else value
