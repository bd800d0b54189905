"""A recipe is everything that decides a training's result: nested Structs, read from TOML, overridden by ``key.path=value``.

Importing this imports no torch. ``model`` and ``data`` stay open tables here, since their keys belong to the model or the
data source that ``name`` / ``source`` picks; :mod:`core.run.describe` checks a model's keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from core.errors import UserError
from core.explain import explain, hint
from core.files import read_named
from core.format import prepare
from core.sections import (
    LARGEST_COUNT,
    Averaging,
    Checkpoint,
    Count,
    Data,
    Divergence,
    EarlyStopping,
    Evaluation,
    FineTune,
    LowResolution,
    Mixing,
    Optimizer,
    Pictures,
    Positive,
    Schedule,
    Section,
    Transform,
)

LARGEST = 1 << 20
"""Bytes of a recipe file."""
Overrides: TypeAlias = Iterable[str | tuple[str, Any]] | Mapping[str, Any]
"""In their order: ``key.path=value`` with a value as in TOML, or a key path and its value."""


class Recipe(Section, frozen=True, kw_only=True):
    name: str = "unnamed"
    description: str = ""
    epochs: Annotated[int, Meta(ge=1, le=LARGEST_COUNT)] = 50
    batch_size: Positive = 100
    seed: Count = 0
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: str = "auto"
    deterministic: bool = True
    """Same bits again, resumed or not. Without it, faster kernels that promise less may be used."""
    convolution: Literal["auto", "direct", "winograd"] = "auto"
    """How 3x3 convolutions are computed on a CPU; ``auto`` takes Winograd's minimal filtering where it is faster, by kernels
    that are compiled for this processor where there is a C compiler; ``direct`` leaves all to torch."""
    compile: bool = False
    """Compile the network with torch.compile before the first step."""
    batch_norm: Literal["per_process", "synchronised"] = "per_process"
    """Where several processes train together: whether batch norm sees the images of its own process, or of the whole batch."""
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    parameter_limit: Positive | None = None
    data: Data = Data()
    model: dict[str, Any] = {}
    augment: tuple[Transform, ...] = ()
    mixing: Mixing = Mixing()
    low_resolution: tuple[LowResolution, ...] = ()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    averaging: Averaging = Averaging()
    early_stopping: EarlyStopping = EarlyStopping()
    divergence: Divergence = Divergence()
    evaluation: Evaluation = Evaluation()
    checkpoint: Checkpoint = Checkpoint()
    pictures: Pictures = Pictures()
    finetune: FineTune = FineTune()

    def __post_init__(self) -> None:
        if self.early_stopping.split == "validation" and self.data.validation == 0 and self.watches:
            raise ValueError(
                "early_stopping.split is 'validation', but data.validation holds nothing out (set it above 0, or set "
                'early_stopping.enabled = false and evaluation.weights = "last")'
            )
        if self.optimizer.nesterov and self.optimizer.momentum == 0:
            raise ValueError("optimizer.nesterov needs optimizer.momentum above 0")

    @property
    def watches(self) -> bool:
        """Whether a split is measured after each epoch: there is something to choose by, or images held out to look at."""
        return self.early_stopping.enabled or self.evaluation.weights == "best" or self.data.validation > 0

    @property
    def monitor(self) -> str:
        """The metric that is watched, for instance ``val.loss``; empty where nothing is."""
        return self.early_stopping.monitor if self.watches else ""


prepare(Recipe)


def names() -> list[str]:
    """The recipes that come with the package, one TOML file each."""
    return sorted(entry.name.removesuffix(".toml") for entry in _folder().iterdir() if entry.name.endswith(".toml"))


def source_text(name: str) -> str:
    """The TOML text of a recipe of the package; raises UserError for an unknown name."""
    if name not in names():
        raise UserError(f"recipe '{name}' is not known{hint(name, names())}; known are {', '.join(names())}")
    return (_folder() / f"{name}.toml").read_text("utf-8")


def load(name_or_path: str | Path, overrides: Overrides = ()) -> Recipe:
    """A recipe by its name, or from a ``.toml`` file, with overrides applied in order.

    Raises :class:`UserError` in one line that names the file or the key and what was expected.
    """
    text, where, default_name = _read(str(name_or_path))
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where}: not valid TOML: {error}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply, which no recipe is") from None
    table.setdefault("name", default_name)
    _apply(table, overrides)
    return from_table(table, where)


def changed(recipe: Recipe, overrides: Overrides) -> Recipe:
    """The recipe with overrides applied as :func:`load` does it; raises UserError as that does."""
    table = to_table(recipe)
    _apply(table, overrides)
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
        return read_named(path, LARGEST).decode(), str(path), path.stem if path.is_file() else "unnamed"
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UserError(f"recipe file {path}: {reason}; expected a TOML file or one of {', '.join(names())}") from None


def _apply(table: dict[str, Any], overrides: Overrides) -> None:
    for override in overrides.items() if isinstance(overrides, Mapping) else overrides:
        key, value = _parsed(override) if isinstance(override, str) else override
        _set(table, key, deepcopy(value))


def _parsed(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals:
        raise UserError(f"--set {override!r}: expected key.path=value, for instance optimizer.lr=0.001")
    return key.strip(), _value(text.strip())


def _set(table: dict[str, Any], key: str, value: Any) -> None:
    parts = key.split(".")
    if not all(parts):
        raise UserError(f"--set {key!r}: expected key.path=value, for instance optimizer.lr=0.001")
    for depth, part in enumerate(parts[:-1], 1):
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UserError(f"--set {key!r}: {'.'.join(parts[:depth])} is a value, not a table")
    named = parts == ["model"] and isinstance(value, str)  # all of the table: its other keys belong to another model
    table[parts[-1]] = {"name": value} if named else value


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, (list, tuple)) else value
