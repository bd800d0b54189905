"""What needs torch to be known (a model's parameters, this machine's devices), for processes that do not import it.

The question goes to a child, ``python -P -m core.run.describe``, as JSON on its standard input; the answer about a model is
kept in the cache folder, keyed by the question and by this package's own files.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import core
from core import models
from core.cache import cache_folder
from core.errors import UNREADABLE, UserError
from core.files import make_folder, read_plain, write_whole
from core.models import Inputs, Layer
from core.recipe import Recipe
from core.sections import Optimizer

if TYPE_CHECKING:
    from torch import nn

PACKAGES = ("tui-trainer", "torch", "torchvision", "textual", "rich", "typer", "plotext", "msgspec", "safetensors", "numpy")
LIBRARIES = ("torchvision", "timm")
"""Of networks."""
LARGEST_ANSWER = 16 << 20
"""Bytes."""


class Description(msgspec.Struct, frozen=True):
    """A recipe's network; multiply-accumulates are those of one image's forward pass."""

    parameters: int
    macs: int
    layers: tuple[Layer, ...] = ()

    @property
    def frozen(self) -> int:
        """Parameters that do not train."""
        return sum(layer.frozen for layer in self.layers)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a bug report needs to know of the machine."""

    python: str
    system: str
    processor: str
    cores: int
    threads: int
    devices: tuple[str, ...]
    bf16: tuple[str, ...]
    """The devices with bfloat16 in hardware."""
    kernels: str
    """``compiled``: those in C for the CPU, or why there are none."""
    versions: dict[str, str]


class _Question(msgspec.Struct, frozen=True, omit_defaults=True):
    model: dict[str, Any] | None = None
    inputs: Inputs | None = None
    parameter_limit: int | None = None
    code: str | None = None
    """The folder with code of the user's own, where they have named it."""
    frozen: tuple[str, ...] = ()
    optimizer: Optimizer = Optimizer()


class _Answer(msgspec.Struct, frozen=True):
    description: Description | None = None
    machine: Machine | None = None
    error: str = ""


def describe(recipe: Recipe, inputs: Inputs, code: Path | None = None) -> Description:
    """The recipe's network. Raises UserError when its settings are wrong or it is over ``parameter_limit``.

    ``code`` is the folder with code of the user's own, where it is they who have named it as the model; without it none is run.
    """
    known = recipe.optimizer
    rated = known if known.groups or known.vector_lr or known.head_lr else Optimizer()  # else there is one rate for all
    question = _Question(
        recipe.model, inputs, recipe.parameter_limit, str(code) if code else None, recipe.finetune.frozen, rated
    )
    if models.is_code(recipe.model):
        return _description(_ask(question))  # whatever it is made of may have changed
    key = hashlib.sha256(msgspec.json.encode(question, order="deterministic") + _own_state(recipe)).hexdigest()[:32]
    path = cache_folder() / "described" / f"{key}.json"
    try:
        answer = msgspec.json.decode(read_plain(path, LARGEST_ANSWER), type=_Answer)
    except (OSError, *UNREADABLE):
        answer = _ask(question)
        _keep(path, answer)
    return _description(answer)


def _description(answer: _Answer) -> Description:
    if answer.error or answer.description is None:
        raise UserError(answer.error or "the model could not be described")
    return answer.description


def machine() -> Machine:
    """This machine as torch sees it; takes as long as importing torch."""
    answer = _ask(_Question())
    if answer.machine is None:
        raise UserError(answer.error or "the machine could not be described")
    return answer.machine


def _ask(question: _Question) -> _Answer:
    command = [sys.executable, "-P", "-m", "core.run.describe"]
    child = subprocess.run(command, input=msgspec.json.encode(question), capture_output=True, check=False)
    try:
        return msgspec.json.decode(child.stdout, type=_Answer)
    except msgspec.DecodeError:
        last = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        raise UserError(f"torch cannot be used here: {last[0]}; see tui-trainer doctor") from None


def _keep(path: Path, answer: _Answer) -> None:
    try:
        make_folder(path.parent)
        write_whole(path, msgspec.json.encode(answer))
    except OSError:
        return  # a cache that cannot be written costs time, nothing else


def _own_state(recipe: Recipe) -> bytes:
    """Changes whenever a model file does, or the library that a model is of."""
    files = sorted((Path(core.__path__[0]) / "models").rglob("*.py"))
    library = str(recipe.model.get("name")).partition(":")[0]
    version = _version(library) if library in LIBRARIES else ""
    return repr([version, *((file.name, file.stat().st_mtime_ns) for file in files)]).encode()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _describe_here(question: _Question) -> _Answer:
    if question.model is None or question.inputs is None:
        return _Answer(machine=_machine_here())
    try:
        network = models.sketch(question.model, question.inputs, Path(question.code) if question.code else None)
        rates = _trained(network, question)
        parameters = models.count_parameters(network)
        models.check_limit(parameters, question.parameter_limit)
        layers = models.layers_of(question.model, network, question.inputs, rates)
    except UserError as error:
        return _Answer(error=str(error))
    return _Answer(description=Description(parameters, sum(layer.macs for layer in layers), tuple(layers)))


def _trained(network: nn.Module, question: _Question) -> dict[int, float]:
    """Freezes what is to be frozen; returns the learning rates of what trains, by parameters' ids, where there is not one for
    all. Raises UserError."""
    settings = question.optimizer
    if not (question.frozen or settings.groups or settings.vector_lr or settings.head_lr):
        return {}
    from core.training.finetuning import freeze
    from core.training.optimizers.groups import groups_of

    freeze(network, question.frozen)
    groups = groups_of(settings, network)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    return rates if len(set(rates.values())) > 1 else {}


def _machine_here() -> Machine:
    import torch

    from core.training.device import available_devices, has_fast_bf16
    from core.training.kernels import lacking

    devices = available_devices()
    return Machine(
        python=platform.python_version(),
        system=platform.platform(),
        processor=torch.backends.cpu.get_cpu_capability(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        devices=tuple(devices),
        bf16=tuple(name for name in devices if has_fast_bf16(torch.device(name))),
        kernels=lacking(torch.float32) or "compiled",
        versions={name: metadata.version(name) for name in PACKAGES},
    )


if __name__ == "__main__":
    answering = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a user's own code prints is no part of the answer
    answering.write(msgspec.json.encode(_describe_here(msgspec.json.decode(sys.stdin.buffer.read(), type=_Question))))
    answering.close()
