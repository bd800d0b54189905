"""What the libraries of networks have in common: keys checked against what the network itself takes, errors in one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from core.errors import UserError, out_of_memory
from core.explain import hint
from core.models import Inputs

LARGEST = 4096
"""Of a whole number among the keys: sizes and counts, by which a file from elsewhere could ask for an endless network."""
PLAIN = (int, float, bool, str, "int", "float", "bool", "str")
LONGEST = 64
"""Of a list, and of a text."""
Make = Callable[..., nn.Module]


def made(name: str, make: Make, settled: Mapping[str, Any], keys: dict[str, Any], inputs: Inputs) -> nn.Module:
    """What ``make`` gives for ``settled``, which the data decide, and the recipe's ``keys``. Raises UserError."""
    if keys:
        _check(name, keys, [key for key in _taken(name, make, settled, inputs) if key not in settled])
    return _called(name, make, {**settled, **keys}, inputs, keys)


def _taken(name: str, make: Make, settled: Mapping[str, Any], inputs: Inputs) -> list[str]:
    """What the network's class takes and a recipe can say."""
    try:
        with torch.device("meta"):
            network = make(**settled)
    except Exception:  # not every one can be built without memory
        network = _called(name, make, dict(settled), inputs)
    return [each.name for each in inspect.signature(type(network)).parameters.values() if _can_be_said(each)]


def _can_be_said(parameter: inspect.Parameter) -> bool:
    """Whether a recipe's value can be its argument: not what is made of modules, nor what the network's name stands for."""
    kind = parameter.annotation
    plain = kind in PLAIN or (parameter.default is not parameter.empty and "Module" not in str(kind))
    return plain and parameter.kind is not parameter.VAR_KEYWORD


def _check(name: str, keys: Mapping[str, Any], known: list[str]) -> None:
    for key, value in keys.items():
        if key not in known:
            raise UserError(
                f"model.{key}: {name} takes no such key{hint(key, known)}; it takes {', '.join(known) or 'none'}; "
                f"--model {name} leaves out the keys of another model"
            )
        if not _plain(value):
            raise UserError(
                f"model.{key}: expected a number up to {LARGEST}, a short text, true, false, or a list of them "
                f"(given: {value!r:.80})"
            )


def _plain(value: Any) -> bool:
    match value:
        case bool() | None:
            return True
        case int() | float():
            return abs(value) <= LARGEST
        case str():
            return len(value) <= LONGEST
        case list() | tuple():
            return (
                len(value) <= LONGEST and not any(isinstance(item, (list, tuple)) for item in value) and all(map(_plain, value))
            )
    return False


def _called(name: str, make: Make, settings: dict[str, Any], inputs: Inputs, keys: Mapping[str, Any] = {}) -> nn.Module:
    try:
        return make(**settings)
    except Exception as error:  # whatever a library finds wrong
        if out_of_memory(error):
            raise
        given = f" and {', '.join(f'{key} = {value!r}' for key, value in keys.items())}" if keys else ""
        raise UserError(
            f"model.name: {name} cannot be built for images of {inputs.size} pixels{given}: {reason(error)}"
        ) from None


def reason(error: BaseException) -> str:
    """An error's own first line; its type where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
