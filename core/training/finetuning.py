"""Training on from weights that are there already: taken from a safetensors file, a new last layer where the classes are
others, and parts that do not train."""

from __future__ import annotations

import hashlib
import json
import shlex
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from core.checkpoint import LARGEST, WEIGHTS, Damaged
from core.errors import UserError
from core.files import open_plain, read_named
from core.sections import FineTune
from core.training.finite import all_finite
from core.training.naming import fits, matching
from core.training.weights_file import load, read_about

KEY = "finetune.weights"
PICKLED = (b"PK\x03\x04", b"\x80")
"""How torch's own files begin, which are pickles."""
COUNTER = "num_batches_tracked"
"""Of batch norm; files from elsewhere may be without."""


class Begin(NamedTuple):
    """Weights to begin from."""

    path: str
    tensors: dict[str, Tensor]
    classes: tuple[str, ...]
    """That they were trained on; empty where the file does not say."""
    fingerprint: str


def read(path: str) -> Begin:
    """Raises UserError, in one line that names the file."""
    try:
        data = read_named(Path(path), LARGEST)
    except OSError as error:
        raise UserError(f"{KEY}: {path}: {error.strerror}; expected a safetensors file") from None
    try:
        tensors = load(data, WEIGHTS)
    except Damaged as error:
        if data.startswith(PICKLED):
            raise UserError(f"{KEY}: {path} is a pickle, which may run code and is never read; {_conversion(path)}") from None
        raise UserError(f"{KEY}: {path}: {error}; expected a safetensors file") from None
    if not all_finite(list(tensors.values())):
        raise UserError(f"{KEY}: {path}: some of its numbers are NaN or infinite")
    about = read_about(data)
    return Begin(path, tensors, about.classes if about else (), hashlib.sha256(data).hexdigest())


def _conversion(path: str) -> str:
    read = f"torch.load({json.dumps(path)}, weights_only=True)"
    program = f'import torch, safetensors.torch as s; s.save_file({read}, "new.safetensors")'
    return f"where you trust it, convert it: python -c {shlex.quote(program)}"


def fingerprint(settings: FineTune) -> str:
    """Of the file as it is now; empty where there is none, or none any more, which a run that has begun does not need."""
    try:
        if not settings.weights:
            return ""
        with open_plain(Path(settings.weights), follow=True) as file:
            return hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
    except OSError:
        return ""


def take(network: nn.Module, begin: Begin, settings: FineTune, classes: tuple[str, ...]) -> str:
    """Put what fits into a network; returns what was done, in words. Raises UserError where too much does not fit."""
    expected: dict[str, Tensor] = network.state_dict()
    tensors = _unwrapped(begin.tensors, expected)
    head = _head(network, len(classes))
    if settings.new_head or (begin.classes and begin.classes != classes):
        tensors = {name: tensor for name, tensor in tensors.items() if name not in head}
    taken = {name: fit for name, tensor in tensors.items() if (fit := _fitted(tensor, expected.get(name))) is not None}
    lacking = [name for name in expected if name not in taken and name not in head and not name.endswith(COUNTER)]
    if lacking and not (settings.partial and any(tensor.dim() > 1 for tensor in taken.values())):
        raise UserError(_misfit(begin.path, lacking, expected, tensors))
    network.load_state_dict(taken, strict=False)
    return _words(begin, expected, taken, [name for name in begin.tensors if name not in expected and name in tensors])


def freeze(network: nn.Module, patterns: tuple[str, ...]) -> None:
    """Let parameters train no more, and their norms keep their statistics. Raises UserError for a pattern that fits nothing,
    and where nothing would be left to train."""
    frozen = [
        each for index, pattern in enumerate(patterns) for each in matching(network, pattern, f"finetune.frozen[{index}]")
    ]
    for parameter in frozen:
        parameter.requires_grad_(False)
    if patterns and not any(parameter.requires_grad for parameter in network.parameters()):
        raise UserError("finetune.frozen: leaves nothing to train; leave a pattern out")
    for name, module in network.named_modules():
        if isinstance(module, _NormBase) and any(fits(pattern, f"{name}.weight") for pattern in patterns):
            _settle(module)


class _Settled:
    """In evaluation for good: its statistics are those that it came with, and move no more."""

    def train(self, mode: bool = True) -> Any:
        return super().train(False)  # type: ignore[misc]


def _settle(norm: nn.Module) -> None:
    norm.__class__ = type(type(norm).__name__, (_Settled, type(norm)), {})
    norm.eval()


def _head(network: nn.Module, classes: int) -> set[str]:
    """Names of the tensors of the last layer, which gives the logits."""
    layers = [
        name
        for name, module in network.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d)) and len(module.weight) == classes
    ]
    return {f"{layers[-1]}.{part}" for part in ("weight", "bias")} if layers else set()


def _unwrapped(tensors: dict[str, Tensor], expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without a name around all of them, such as ``module.``, that what they were saved from had given them."""
    around = {name.partition(".")[0] for name in tensors}
    if len(around) == 1 and not tensors.keys() & expected.keys():
        return {name.partition(".")[2]: tensor for name, tensor in tensors.items()}
    return tensors


def _fitted(tensor: Tensor, expected: Tensor | None) -> Tensor | None:
    """A tensor in the form that the network has, None where it does not fit. A filter of colours, summed up, sees grey images
    as it did."""
    if expected is None or tensor.is_floating_point() != expected.is_floating_point():
        return None
    if tensor.dim() == 4 and expected.dim() == 4 and tensor.shape[1] == 3 and expected.shape[1] == 1:
        tensor = tensor.sum(1, keepdim=True)
    return tensor.to(expected.dtype) if tensor.shape == expected.shape else None


def _misfit(path: str, lacking: list[str], expected: dict[str, Tensor], tensors: dict[str, Tensor]) -> str:
    name = lacking[0]
    found = f"{list(tensors[name].shape)} in the file" if name in tensors else "not in the file"
    return (
        f"{KEY}: {path}: {len(lacking)} of the model's {len(expected)} tensors are missing or of another shape (the first: "
        f"{name} {list(expected[name].shape)} is {found}); expected weights of this model, or finetune.partial = true, which "
        f"takes what fits"
    )


def _words(begin: Begin, expected: dict[str, Tensor], taken: dict[str, Tensor], left: list[str]) -> str:
    anew = [name for name in expected if name not in taken and not name.endswith(COUNTER)]
    words = [f"begins from {begin.path}: {len(taken)} of {len(expected)} tensors"]
    words += [f"drawn anew: {_some(anew)}"] if anew else []
    words += [f"not in this model: {_some(left)}"] if left else []
    return "; ".join(words)


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
