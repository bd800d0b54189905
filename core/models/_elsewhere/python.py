"""A network of the user's own: ``python:package.module:function``, found in their folder or among what is installed.

The function, or class, is called with the keys of ``[model]`` and with ``classes``, ``channels`` and ``size`` (pixels) of the
data, each by name and as far as it takes them, and gives an nn.Module from images [n, channels, size, size] to logits
[n, classes].
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from core.errors import UserError, out_of_memory
from core.explain import hint
from core.models import Inputs

OURS = ("core", "tui_trainer")


def build(target: str, keys: dict[str, Any], inputs: Inputs, code: Path | None) -> nn.Module:
    """Raises UserError, which names file and line where the user's own code went wrong."""
    full = f"python:{target}"
    if code is None:
        raise UserError(
            f"model.name: {full} is code, which runs only where you have named it yourself; if you know it, add: --model {full}"
        )
    function = _find(full, target, code)
    arguments = _arguments(full, function, keys, inputs)
    try:
        with redirect_stdout(sys.stderr):  # the standard output is for answers
            network = function(**arguments)
    except (Exception, SystemExit) as error:
        if out_of_memory(error):
            raise
        raise UserError(f"model.name: {full} failed: {told(error, code)}") from None
    if not isinstance(network, nn.Module):
        raise UserError(f"model.name: {full} gave {_kind(network)}, expected an nn.Module")
    _materialise(network, inputs)
    for name, value in network.state_dict().items():
        if not isinstance(value, Tensor):
            kind = _kind(value)
            raise UserError(f"model.name: {full} keeps {kind} as {name!r} (get_extra_state); make it a buffer, or leave it out")
    return network


def _find(full: str, target: str, code: Path) -> Callable[..., Any]:
    name, colon, attribute = target.partition(":")
    if not colon or not all(part.isidentifier() for part in (*name.split("."), attribute)):
        raise UserError(f"model.name: {full}: expected python:package.module:function, for instance python:nets:build")
    top = name.partition(".")[0]
    if top in OURS or top in sys.stdlib_module_names:
        whose = "tui-trainer's" if top in OURS else "Python's"
        raise UserError(f"model.name: {full}: '{top}' is {whose} own; give your module another name")
    module = _imported(full, name, code)
    if _lies_in(code, top) and not _came_from(code, sys.modules[top]):
        where = getattr(sys.modules[top], "__file__", None)
        raise UserError(f"model.name: {full}: '{top}' is also installed ({where}), and comes first; give yours another name")
    function = getattr(module, attribute, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UserError(f"model.name: {full}: there is no function or class '{attribute}' in {name}{hint(attribute, known)}")
    found: Callable[..., Any] = function
    return found


def _imported(full: str, name: str, code: Path) -> ModuleType:
    """The folder comes last on the module path, so that nothing of ours is taken from it."""
    if str(code) not in sys.path:
        sys.path.append(str(code))
    importlib.invalidate_caches()
    try:
        with redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise UserError(f"model.name: {full}: there is no module '{error.name}' in {code}, nor is one installed") from None
        raise UserError(f"model.name: {full} cannot be imported: {told(error, code)}") from None
    except (Exception, SystemExit) as error:
        raise UserError(f"model.name: {full} cannot be imported: {told(error, code)}") from None


def _lies_in(code: Path, top: str) -> bool:
    return (code / f"{top}.py").is_file() or (code / top / "__init__.py").is_file()


def _came_from(code: Path, module: ModuleType) -> bool:
    return Path(module.__file__ or "").resolve().is_relative_to(code.resolve())


def _arguments(full: str, function: Callable[..., Any], keys: dict[str, Any], inputs: Inputs) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise UserError(f"model.name: {full}: it does not say what it takes; wrap it in a function of your own") from None
    anything = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    offered = {key: value for key, value in inputs._asdict().items() if anything or key in parameters}
    for key in keys:
        if key in inputs._fields:
            raise UserError(f"model.{key}: comes from the data; leave it out")
        if key not in parameters and not anything:
            known = [name for name in parameters if name not in inputs._fields]
            raise UserError(f"model.{key}: {full} takes no such key{hint(key, known)}; it takes {', '.join(known) or 'none'}")
    needed = [each.name for each in parameters.values() if each.default is each.empty and each.kind not in _ANY]
    if missing := [name for name in needed if name not in offered and name not in keys]:
        raise UserError(
            f"model.{missing[0]}: {full} needs it, and the recipe does not say it; "
            f"by themselves come only {', '.join(inputs._fields)}"
        )
    return {**offered, **keys}


_ANY = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def _materialise(network: nn.Module, inputs: Inputs) -> None:
    """Lazy layers learn their shapes from a first batch."""
    if any(is_lazy(parameter) for parameter in network.parameters()):
        with torch.no_grad():
            network.eval()(torch.zeros(1, inputs.channels, inputs.size, inputs.size))
        network.train()


def told(error: BaseException, code: Path) -> str:
    """An error in one line: its type, its first line, and the last place in the user's own code."""
    words = next(iter(str(error).strip().splitlines()), "")
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames, words = [(error.filename, error.lineno)], error.msg
    own = [place for place in frames if Path(place[0]).is_relative_to(code)]
    where = f" ({Path(own[-1][0]).relative_to(code)}, line {own[-1][1]})" if own else ""
    return f"{type(error).__name__}{': ' * bool(words)}{words}{where}"


def _kind(value: object) -> str:
    kind = type(value).__name__
    return "nothing (does it return the network?)" if value is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
