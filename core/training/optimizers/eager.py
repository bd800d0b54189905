"""torch's optimizers for a training that is not compiled.

Their methods are decorated for the compiler's sake, and the first call of one loads it: two to four seconds, and some hundred
megabytes, before the first step of a training that has no use for it.
"""

from __future__ import annotations

import inspect
from typing import TypeVar, cast

import torch

Kind = TypeVar("Kind", bound=torch.optim.Optimizer)


def eager(kind: type[Kind]) -> type[Kind]:
    """A subclass of the same name that does the same, with the methods of ``kind`` as they are within their decorators."""
    members = ((name, inspect.getattr_static(kind, name)) for name in dir(kind))
    decorated = {name: member for name, member in members if inspect.isfunction(member) and hasattr(member, "__wrapped__")}
    bare = {name: inspect.unwrap(member) for name, member in decorated.items()}
    step = torch.no_grad()(inspect.unwrap(kind.step))  # one of the decorators sees to that
    return cast(type[Kind], type(kind.__name__, (kind,), {**bare, "step": step}))
